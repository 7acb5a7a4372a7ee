from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import table_of

from service.live import store
from service.live.events import Event
from service.live.migration import migrate
from service.live.sqlite_database import SqliteDatabase
from training import measuring, pipeline
from training.cli import data_loading
from training.config import TrainingConfig
from training.data.splits import split_by_name
from training.data.stored_feedback import StoredFeedback
from training.data.table import RatingsTable
from training.errors import BundleRefused, ConfigurationError, NothingHeldOut
from training.evaluation.ablation import WITHOUT
from training.evaluation.baseline_evaluation import Baseline
from training.evaluation.baselines.environment import Environment
from training.evaluation.comparison import MEASURES
from training.evaluation.held_out import HeldOut
from training.evaluation.split_evaluation import Evaluation
from training.evaluation.user_sums import UserSums
from training.export.quality_gate import QualityGate


def sums_of(value: float, users: int, *measures: str) -> UserSums:
    """Sums of users who all have the same measures, by default NDCG and RMSE."""
    both = {"ndcg_at_10": np.full(users, value), "rmse": np.full(users, value**2)}
    sums = {name: both[name] for name in measures or both}
    return UserSums(sums, {name: np.ones(users) for name in sums})


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds that were trained with; nothing is, and every measure is a hundredth of the seed."""
    used: list[int] = []

    def evaluate(
        held_out: HeldOut, config: TrainingConfig, on_epoch: Any, *, measure_index: bool = False, **_: Any
    ) -> Evaluation:
        used.append(config.seed)
        for epoch in range(config.epochs):
            on_epoch(epoch + 1, {"loss": 1.0, "rating_loss": 0.5})
        document = {
            **held_out.to_document(),
            "measured_utc": "2026-11-21T06:00:00Z",
            "seed": config.seed,
            "fit_seconds": 1.0,
            **({"index": {"recall_at_10": 1.0}} if measure_index else {}),
            "model": dict.fromkeys(MEASURES, config.seed / 100),
            "losses": {},
        }
        users = len(np.unique(held_out.test.user_rows))
        return Evaluation(document, sums_of(config.seed / 100, users))

    def evaluate_baselines(held_out: HeldOut) -> dict[str, Baseline | None]:
        users = len(np.unique(held_out.test.user_rows))
        return {"popularity": None, "ease": None, "biases": Baseline(sums_of(0.5, users, "rmse"))}

    monkeypatch.setattr(measuring, "evaluate_split", evaluate)
    monkeypatch.setattr(measuring, "evaluate_baselines", evaluate_baselines)
    monkeypatch.setattr(pipeline, "cold_start", lambda *_: None)
    table = table_of([(str(user), str(movie), 3.0, movie) for user in range(3) for movie in range(5)])
    monkeypatch.setattr(data_loading, "load", lambda _source, _dataset: table)
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
    metrics = pipeline.evaluate("auto", "100k", TrainingConfig(seed=7, epochs=1), "random", tmp_path, seeds=1)
    assert seeds == [7]
    assert metrics["spread"] is None
    assert "mean of" not in capsys.readouterr().out


def test_the_specialists_stand_beside_the_other_baselines_if_wanted(
    seeds: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    specialists = Environment(tmp_path, ("ials", "svd"))
    monkeypatch.setattr(pipeline, "find_environment", lambda: specialists)
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
    metrics = pipeline.evaluate(
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

    monkeypatch.setattr(pipeline, "find_environment", missing)
    monkeypatch.setattr(data_loading, "load", None)
    with pytest.raises(ConfigurationError, match="make install-baselines"):
        pipeline.evaluate("auto", "100k", TrainingConfig(), "temporal", tmp_path, seeds=1, baselines=True)
    assert seeds == []


def test_an_ablation_measures_every_row_once(
    seeds: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = pipeline.ablate("auto", "100k", TrainingConfig(seed=9, epochs=1), "temporal", tmp_path)
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

    monkeypatch.setattr(pipeline, "fit_model", lambda *_, **__: None)
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


def test_data_without_times_is_measured_by_the_random_split_and_that_is_said(
    seeds: list[int],
    exported: list[dict[str, Any] | None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    untimed = table_of([(str(user), str(movie), 3.0, 7) for user in range(3) for movie in range(5)])
    monkeypatch.setattr(data_loading, "load", lambda _source, _dataset: untimed)
    metrics = pipeline.evaluate("auto", "100k", TrainingConfig(epochs=1), "temporal", tmp_path, seeds=1)
    note = "the times of small do not tell which of a user's ratings came first: it is measured by the random"
    assert metrics["split"] == "random"
    assert metrics["split_note"].startswith(note)
    assert note in capsys.readouterr().err
    pipeline.fit("auto", "100k", TrainingConfig(epochs=2), "auto", tmp_path)
    [measured] = exported
    assert measured is not None
    assert measured["split_note"].startswith(note)
    assert len(seeds) == 2


def test_fit_goes_on_without_measuring_where_nothing_can_be_held_out_unless_a_split_was_asked_for(
    exported: list[dict[str, Any] | None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    few = table_of([("1", "a", 3.0, 1), ("1", "b", 4.0, 2)])
    monkeypatch.setattr(data_loading, "load", lambda _source, _dataset: few)
    pipeline.fit("auto", "100k", TrainingConfig(), "auto", tmp_path)
    assert exported == [None]
    assert "Quality is not measured: small: expected at least 2 training ratings" in capsys.readouterr().err
    with pytest.raises(NothingHeldOut, match="the global split, got 1 and 1 of 2"):
        pipeline.fit("auto", "100k", TrainingConfig(), "global", tmp_path)


def test_a_bundle_that_does_not_pass_the_gate_is_exported_as_refused(
    seeds: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[str | None] = []

    def export(*given: Any, refusal: str | None, **_: Any) -> Path:
        refusals.append(refusal)
        return Path(given[3]) / "bundle"

    monkeypatch.setattr(pipeline, "fit_model", lambda *_, **__: None)
    monkeypatch.setattr(pipeline, "export_bundle", export)
    config = TrainingConfig(seed=30, epochs=1)  # every measure is 0.3
    fit = partial(pipeline.fit, "auto", "100k", config, "temporal", tmp_path)
    fit(gate=QualityGate({"hit_rate_at_100": 0.29}))
    with pytest.raises(BundleRefused, match=r"hit_rate_at_100 is 0.3000, and must be at least 0.31") as error:
        fit(gate=QualityGate({"hit_rate_at_100": 0.31}))
    assert error.value.exit_code == 4
    assert refusals == [None, "hit_rate_at_100 is 0.3000, and must be at least 0.31"]
    assert seeds == [30, 30]


def store_of(directory: Path) -> Path:
    """A store with a rating by a new user, of which one of the data was forgotten."""
    path = directory / "feedback.sqlite3"
    database = SqliteDatabase(path)
    migrate(database)
    with database.borrow() as connection, connection.transaction():
        key = store.key_of(connection)
        store.apply(connection, [Event("new", "1", "rating", 5, 9)], now=1_000, key=key)
        store.forget(connection, "2", now=1_000, key=key)
    return path


@pytest.mark.usefixtures("seeds")
def test_what_was_posted_is_measured_trained_on_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store_of(tmp_path)
    tables: list[RatingsTable] = []

    def export(_trained: Any, table: RatingsTable, *given: Any, stored: StoredFeedback, **_: Any) -> Path:
        assert stored.table is table
        tables.append(table)
        return Path(given[1]) / "bundle"

    monkeypatch.setattr(pipeline, "fit_model", lambda table, *_, **__: tables.append(table))
    monkeypatch.setattr(pipeline, "export_bundle", export)
    config = TrainingConfig(epochs=1)
    pipeline.fit("auto", "100k", config, "auto", tmp_path / "artifacts", store=str(path))
    trained_on, exported = tables
    assert trained_on is exported
    assert trained_on.user_ids == ("0", "1", "new")
    said = capsys.readouterr().err
    assert (
        "1 ratings and watches of the store at position 2; 0 movies are described as they were put; "
        "1 users who were forgotten are left out"
    ) in said


@pytest.mark.usefixtures("seeds")
def test_what_evaluate_and_ablate_measure_is_of_data_and_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[RatingsTable] = []

    def measure(table: RatingsTable, split: str) -> Any:
        measured.append(table)
        return split_by_name(table, split)

    monkeypatch.setattr(pipeline, "split_by_name", measure)
    path = str(store_of(tmp_path))
    pipeline.evaluate("auto", "100k", TrainingConfig(epochs=1), "random", tmp_path, seeds=1, store=path)
    pipeline.ablate("auto", "100k", TrainingConfig(epochs=1), "random", tmp_path, store=path)
    assert [table.user_ids for table in measured] == [("0", "1", "new")] * 2
