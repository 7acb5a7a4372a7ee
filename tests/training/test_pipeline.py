from functools import partial
from pathlib import Path
from typing import Any

import pytest
from synthetic_ratings import table_of
from three_users import store_beside

from training import evaluation_pipeline, pipeline
from training.cli import data_loading
from training.config import TrainingConfig
from training.data.stored_feedback import StoredFeedback
from training.data.table import RatingsTable
from training.errors import BundleRefused, NothingHeldOut
from training.evaluation.ablation import WITHOUT
from training.export.quality_gate import QualityGate


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
    evaluation_pipeline.ablate("auto", "100k", config, "temporal", tmp_path)
    kept = {
        split: evaluation_pipeline.evaluate("auto", "100k", config, split, tmp_path, seeds=count)
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
    evaluation_pipeline.evaluate("auto", "100k", TrainingConfig(epochs=1), "temporal", tmp_path, seeds=1)
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
    metrics = evaluation_pipeline.evaluate(
        "auto", "100k", TrainingConfig(epochs=1), "temporal", tmp_path, seeds=1
    )
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


@pytest.mark.usefixtures("seeds")
def test_what_was_posted_is_measured_trained_on_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store_beside(tmp_path)
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
