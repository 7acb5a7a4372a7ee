from pathlib import Path
from typing import Any

import pytest
from three_users import store_beside, sums_of

from training import evaluation_pipeline, measuring
from training.cli import data_loading
from training.config import TrainingConfig
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.errors import ConfigurationError
from training.evaluation.ablation import WITHOUT
from training.evaluation.baseline_evaluation import Baseline
from training.evaluation.baselines.environment import Environment
from training.evaluation.comparison import MEASURES
from training.evaluation.held_out import HeldOut


def test_several_seeds_are_measured_and_their_mean_is_given(
    seeds: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("<!-- temporal -->\n<!-- /temporal -->\n", encoding="utf-8")
    config = TrainingConfig(seed=10, epochs=2)
    metrics = evaluation_pipeline.evaluate(
        *("auto", "100k", config, "temporal", tmp_path / "artifacts"),
        seeds=3,
        readme=readme,
    )
    assert seeds == metrics["seeds"] == [10, 11, 12]
    assert [run["model"]["rmse"] for run in metrics["runs"]] == [0.1, 0.11, 0.12]
    assert metrics["spread"] == pytest.approx(dict.fromkeys(MEASURES, 0.01))
    assert metrics["index"] == {"recall_at_10": 1.0}
    assert metrics["model"] == pytest.approx(dict.fromkeys(MEASURES, 0.11))
    out = capsys.readouterr().out
    assert "temporal split, mean of 3 seeds" in out
    assert out.count("0.1100") == len(MEASURES)
    assert readme.read_text(encoding="utf-8").count("0.1100") == len(MEASURES)


def test_one_seed_is_just_measured(
    seeds: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = evaluation_pipeline.evaluate(
        "auto", "100k", TrainingConfig(seed=7, epochs=1), "random", tmp_path, seeds=1
    )
    assert seeds == [7]
    assert metrics["spread"] is None
    assert "mean of" not in capsys.readouterr().out


def test_the_specialists_stand_beside_the_other_baselines_if_wanted(
    seeds: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    specialists = Environment(tmp_path, ("ials", "svd"))
    monkeypatch.setattr(evaluation_pipeline, "find_environment", lambda: specialists)
    measured_with: list[dict[str, Any]] = []

    def measure(held_out: HeldOut, environment: Environment, **given: Any) -> dict[str, Baseline]:
        assert seeds == []  # before ours, see `evaluate`
        rows = (held_out.split, len(held_out.train), len(held_out.test))
        measured_with.append(given | {"environment": environment, "rows": rows})
        return {
            "ials": Baseline(sums_of(0.5, 3, "ndcg_at_10")),
            "svd": Baseline(sums_of(0.04, 3, "rmse")),
        }

    monkeypatch.setattr(measuring, "measure_specialists", measure)
    config = TrainingConfig(seed=7, epochs=1)
    metrics = evaluation_pipeline.evaluate(
        "auto", "100k", config, "temporal", tmp_path / "artifacts", seeds=2, baselines=True
    )
    assert list(metrics["baselines"]) == ["popularity", "ease", "biases", "ials", "svd"]
    assert metrics["differences"]["ials"]["ndcg_at_10"]["difference"] == pytest.approx(0.075 - 0.5)
    [given] = measured_with
    assert (given["environment"], given["seed"]) == (specialists, 7)
    assert given["rows"] == ("temporal", 12, 3)
    out = capsys.readouterr().out
    assert "Matinee is behind iALS at NDCG@10 by 0.4250 (0.0750 against 0.5000)" in out
    assert "Matinee is behind SVD at RMSE, stars by 0.0350 (0.0750 against 0.0400)" in out


def test_without_their_environment_nothing_is_loaded_or_trained(
    seeds: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing() -> Path:
        raise ConfigurationError("run `make install-baselines`")

    monkeypatch.setattr(evaluation_pipeline, "find_environment", missing)
    monkeypatch.setattr(data_loading, "load", None)
    with pytest.raises(ConfigurationError, match="make install-baselines"):
        evaluation_pipeline.evaluate(
            "auto", "100k", TrainingConfig(), "temporal", tmp_path, seeds=1, baselines=True
        )
    assert seeds == []


def test_an_ablation_measures_every_row_once(
    seeds: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = evaluation_pipeline.ablate(
        "auto", "100k", TrainingConfig(seed=9, epochs=1), "temporal", tmp_path
    )
    assert seeds == [9] * len(WITHOUT)
    assert list(measured) == list(WITHOUT)
    assert "Ablation, temporal split" in capsys.readouterr().out


@pytest.mark.usefixtures("seeds")
def test_what_evaluate_and_ablate_measure_is_of_data_and_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[RatingsTable] = []

    def measure(table: RatingsTable, split: str) -> Any:
        measured.append(table)
        return split_by_name(table, split)

    monkeypatch.setattr(evaluation_pipeline, "split_by_name", measure)
    path = str(store_beside(tmp_path))
    evaluation_pipeline.evaluate(
        "auto", "100k", TrainingConfig(epochs=1), "random", tmp_path, seeds=1, store=path
    )
    evaluation_pipeline.ablate("auto", "100k", TrainingConfig(epochs=1), "random", tmp_path, store=path)
    assert [table.user_ids for table in measured] == [("0", "1", "new")] * 2
