import shutil
from pathlib import Path
from typing import Any

import pytest

from service.bundle.current import go_live, read_current
from service.bundle.manifest import read_manifest
from training import pipeline
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import BundleRefused, ConfigurationError
from training.export.quality_gate import QualityGate


@pytest.fixture
def artifacts(bundle: Path, tmp_path: Path) -> Path:
    """The bundle of the training rows, live in artifacts of its own."""
    shutil.copytree(bundle, tmp_path / bundle.name)
    go_live(tmp_path, bundle.name)
    return tmp_path


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """Metrics and named arguments of each export, of which there is none."""
    calls: list[dict[str, Any]] = []

    def export(_trained: object, _table: object, metrics: object, *_: object, **given: object) -> Path:
        calls.append({"metrics": metrics, **given})
        return tmp_path / "not written"

    monkeypatch.setattr(pipeline, "export_bundle", export)
    return calls


def test_a_warm_start_goes_live_if_it_predicts_news_no_worse_than_the_live_bundle(
    artifacts: Path, bundle: Path, clusters: RatingsTable, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = QualityGate({"hit_rate_at_100": 0.1}, 0.2)
    made = pipeline.fit(
        clusters, "100k", TrainingConfig(epochs=2), "auto", artifacts, gate=gate, warm_start="live"
    )
    assert read_current(artifacts) == made != artifacts / bundle.name
    manifest = read_manifest(made)
    assert manifest.dataset["warm_start"]["bundle_id"] == bundle.name
    assert manifest.hyperparameters["embedding_dimension"] == 16  # the bundle's, not the default
    assert manifest.metrics is not None
    # The last 5 of each user's 24 rows are news to the bundle; the last fifth of these tests.
    assert (manifest.metrics["split"], manifest.metrics["test_ratings"]) == ("news", 120)
    assert manifest.metrics["train_ratings"] == len(clusters) - 120
    assert 0 < manifest.metrics["baselines"]["live_bundle"]["hit_rate_at_10"] <= 1
    said = capsys.readouterr()
    assert "live bundle" in said.out
    assert "it knows 120 of 120 users and 85 of 85 movies" in said.err


@pytest.mark.usefixtures("exported")
def test_a_warm_start_that_is_worse_than_the_live_bundle_is_refused(
    artifacts: Path, bundle: Path, clusters: RatingsTable
) -> None:
    with pytest.raises(BundleRefused, match=r"rmse is .* worse than the live bundle's"):
        pipeline.fit(
            clusters,
            "100k",
            TrainingConfig(epochs=1, learning_rate=1.0),
            "auto",
            artifacts,
            gate=QualityGate(margin=0.0),
            warm_start=str(artifacts / bundle.name),
        )


def test_without_news_nothing_is_measured_and_the_bundle_is_made(
    artifacts: Path,
    train_table: RatingsTable,
    exported: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline.fit(train_table, "100k", TrainingConfig(epochs=1), "auto", artifacts, warm_start="live")
    assert [of["metrics"] for of in exported] == [None]
    assert "Quality is not measured: 0 ratings are new" in capsys.readouterr().err


def test_without_a_live_bundle_there_is_nothing_to_begin_with(tmp_path: Path, clusters: RatingsTable) -> None:
    with pytest.raises(ConfigurationError, match=r"--warm-start live: .*CURRENT"):
        pipeline.fit(clusters, "100k", TrainingConfig(), None, tmp_path / "artifacts", warm_start="live")
