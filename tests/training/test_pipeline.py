from pathlib import Path
from typing import Any

import pytest
from synthetic_ratings import table_of

from training import pipeline
from training.config import TrainingConfig
from training.data.splits import Split
from training.data.table import RatingsTable
from training.errors import ConfigurationError
from training.evaluation.ablation import WITHOUT
from training.evaluation.comparison import MEASURES


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds that were trained with; nothing is, and every measure is a hundredth of the seed."""
    used: list[int] = []

    def evaluate(
        table: RatingsTable,
        split: Split,
        config: TrainingConfig,
        on_epoch: Any,
        *,
        measure_index: bool = False,
    ) -> dict[str, Any]:
        used.append(config.seed)
        for epoch in range(config.epochs):
            on_epoch(epoch + 1, {"loss": 1.0, "rating_loss": 0.5})
        return {
            "split": split.name,
            "measured_utc": "2026-11-21T06:00:00Z",
            "seed": config.seed,
            "fit_seconds": 1.0,
            **({"index": {"recall_at_10": 1.0}} if measure_index else {}),
            "train_ratings": len(table.take(split.train)),
            "test_ratings": len(split.test),
            "model": dict.fromkeys(MEASURES, config.seed / 100),
            "baselines": {"popularity": {}, "ease": None, "biases": {"rmse": 0.5}},
            "losses": {},
        }

    monkeypatch.setattr(pipeline, "evaluate_split", evaluate)
    monkeypatch.setattr(pipeline, "cold_start", lambda *_: None)
    table = table_of([(str(user), str(movie), 3.0, movie) for user in range(3) for movie in range(5)])
    monkeypatch.setattr(pipeline, "load", lambda _source, _dataset: table)
    return used


def test_several_seeds_are_measured_and_their_mean_is_given(
    seeds: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("<!-- temporal -->\n<!-- /temporal -->\n", encoding="utf-8")
    config = TrainingConfig(seed=10, epochs=2)
    metrics = pipeline.evaluate(
        *("auto", "100k", config, "temporal", tmp_path / "artifacts"),
        seeds=3,
        readme=readme,
        readme_mark="temporal",
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
    metrics = pipeline.evaluate("auto", "100k", TrainingConfig(seed=7), "random", tmp_path, seeds=1)
    assert seeds == [7]
    assert metrics["spread"] is None
    assert "mean of" not in capsys.readouterr().out


def test_the_specialists_stand_beside_the_other_baselines_if_wanted(
    seeds: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(pipeline, "environment_python", lambda: tmp_path)
    measured_with: list[dict[str, Any]] = []

    def measure(train: RatingsTable, test: RatingsTable, **given: Any) -> dict[str, dict[str, float]]:
        assert seeds == []  # before ours, see `evaluate`
        measured_with.append(given | {"rows": (len(train), len(test))})
        return {"ials": {"ndcg_at_10": 0.5}, "svd": {"rmse": 0.04}}

    monkeypatch.setattr(pipeline, "measure_specialists", measure)
    config = TrainingConfig(seed=7)
    metrics = pipeline.evaluate(
        "auto", "100k", config, "temporal", tmp_path / "artifacts", seeds=2, baselines=True
    )
    assert list(metrics["baselines"]) == ["popularity", "ease", "biases", "ials", "svd"]
    [given] = measured_with
    assert (given["python"], given["split_name"], given["seed"]) == (tmp_path, "temporal", 7)
    assert given["rows"] == (12, 3)
    out = capsys.readouterr().out
    assert "Matinee loses to iALS at NDCG@10 by 0.4250 (0.0750 against 0.5000).\n" in out
    assert "Matinee loses to SVD at RMSE, stars by 0.0350 (0.0750 against 0.0400).\n" in out


def test_without_their_environment_nothing_is_loaded_or_trained(
    seeds: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing() -> Path:
        raise ConfigurationError("run `make install-baselines`")

    monkeypatch.setattr(pipeline, "environment_python", missing)
    monkeypatch.setattr(pipeline, "load", None)
    with pytest.raises(ConfigurationError, match="make install-baselines"):
        pipeline.evaluate("auto", "100k", TrainingConfig(), "temporal", tmp_path, seeds=1, baselines=True)
    assert seeds == []


def test_an_ablation_measures_every_row_once(
    seeds: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = pipeline.ablate("auto", "100k", TrainingConfig(seed=9), "temporal", tmp_path)
    assert seeds == [9] * len(WITHOUT)
    assert list(measured) == list(WITHOUT)
    assert "Ablation, temporal split" in capsys.readouterr().out


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any] | None]:
    """What `fit` would have put into its bundles; nothing is trained or exported."""
    metrics: list[dict[str, Any] | None] = []

    def export(
        _trained: Any, _table: Any, measured: dict[str, Any] | None, artifacts: Path, *_: Any, **__: Any
    ) -> Path:
        metrics.append(measured)
        return artifacts / "bundle"

    monkeypatch.setattr(pipeline, "fit_model", lambda *_: None)
    monkeypatch.setattr(pipeline, "export_bundle", export)
    return metrics


def test_what_evaluate_measured_is_in_the_next_bundle_as_it_was_printed(
    seeds: list[int], exported: list[dict[str, Any] | None], tmp_path: Path
) -> None:
    config = TrainingConfig(seed=4, epochs=1)
    pipeline.ablate("auto", "100k", config, "temporal", tmp_path)
    kept = {
        split: pipeline.evaluate("auto", "100k", config, split, tmp_path, seeds=count)
        for split, count in (("temporal", 3), ("random", 1))
    }
    seeds.clear()
    pipeline.fit("auto", "100k", TrainingConfig(seed=5, epochs=1), "temporal", tmp_path)
    assert seeds == []
    [metrics] = exported
    assert metrics is not None
    assert metrics["ablation"].keys() == WITHOUT.keys()
    assert {name: metrics[name] for name in kept["temporal"]} == kept["temporal"]
    assert metrics["other_splits"] == {"random": kept["random"]}


def test_without_a_record_of_the_same_model_fit_measures(
    seeds: list[int], exported: list[dict[str, Any] | None], tmp_path: Path
) -> None:
    pipeline.evaluate("auto", "100k", TrainingConfig(epochs=1), "temporal", tmp_path, seeds=1)
    pipeline.fit("auto", "100k", TrainingConfig(epochs=2, seed=6), "temporal", tmp_path)
    pipeline.fit("auto", "100k", TrainingConfig(epochs=1), None, tmp_path)
    assert seeds == [42, 6]
    measured, nothing = exported
    assert measured is not None
    assert (measured["seeds"], measured["other_splits"]) == ([6], {})
    assert "cold_start" not in measured
    assert nothing is None
