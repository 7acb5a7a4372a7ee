"""Run the stages of `fit`, from loading ratings to the live bundle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from service.bundle.current import read_current
from service.bundle.index_description import Backend
from service.bundle.manifest import read_manifest
from service.errors import BundleError
from training.cli.data_loading import load_with_store
from training.cli.fit_progress import fit_stage
from training.cli.progress import console, stage
from training.cli.result_tables import print_comparison
from training.config import TrainingConfig
from training.data.memory_limit import MemoryLimit
from training.data.table import RatingsTable
from training.distributed.training_run import remove_finished_runs
from training.distributed.worker_group import WorkerGroup
from training.errors import BundleRefused, ConfigurationError
from training.evaluation.training_length import TrainingLength
from training.export.artifacts import require_writable
from training.export.bundle_export import EXPORT_STEPS, export_bundle
from training.export.bundle_inventory import sole_training
from training.export.former_bundle import LIVE, FormerBundle
from training.export.index_recall import require_index
from training.export.quality_gate import QualityGate
from training.measuring import (
    choose_and_say_split,
    choose_length,
    known_or_measured,
    measure_news,
)
from training.model.fitting import fit_model
from training.model.trained_model import TrainedModel

NO_GATE = QualityGate()


def fit(
    source: str | RatingsTable,
    dataset: str,
    config: TrainingConfig,
    split: str | None,
    artifacts: Path,
    *,
    tensorboard: Path | None = None,
    index_backend: Backend = "annoy",
    gate: QualityGate = NO_GATE,
    store: str | None = None,
    warm_start: str | None = None,
    memory: MemoryLimit | None = None,
    workers: WorkerGroup | None = None,
) -> Path:
    """Load ratings, measure on a split, train on every rating, export a bundle and make it live.

    Measures that `evaluate` kept of the same data, model and code are used instead of measuring again. Where
    `auto` finds too few ratings to hold any out, that is said and nothing is measured.

    Args:
        source: What to load, see `load_reading`; or ratings that are loaded.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        config: Of both trainings.
        split: See `choose_split`; None: nothing is measured.
        artifacts: Where bundles are.
        tensorboard: A directory for event files, if any.
        index_backend: A name of `service.bundle.INDEX_FILES`.
        gate: What the measures must be for the bundle to go live.
        store: What was posted to the service, laid over the ratings: a path, or a URL of PostgreSQL.
        warm_start: A bundle's directory or `live`, whose model and hyper-parameters training begins with.
            Then news are measured, see `measure_news`, whatever the split.
        memory: What training may take; None: what it needs.
        workers: Who trains on every rating; None: this process. It measures and exports in either case.

    Returns:
        The bundle's directory.

    Raises:
        ClusterError: There is no cluster for the workers, or it was lost; the message says how to go on.
        ConfigurationError: `index_backend` needs a package that is not installed; training cannot begin
            with that bundle; or `memory` is not enough.
        DataError: That bundle's data were of another kind.
        AnotherTraining: Another training holds the lock of `artifacts`.
        NothingHeldOut: The split that was asked for leaves too few ratings.
        ExportError: The bundle cannot be written, or fails a check; CURRENT was not changed.
        BundleRefused: The bundle was written and does not pass the gate; CURRENT was not changed.
        Forgotten: A user was forgotten while training went on; nothing of the bundle is left.
        SourceError: The store cannot be read.
    """
    require_index(index_backend)
    require_writable(artifacts)
    with _sole_training(artifacts):
        former = None if warm_start is None else FormerBundle.open(warm_start, artifacts)
        config = config if former is None else former.config(config)
        table, stored = load_with_store(source, dataset, store, memory)
        live, metrics = _live_metrics(artifacts), None
        if former is not None:
            former.require_same_kind(table)
            console.print(former.in_words(table), markup=False, soft_wrap=True)
            if split is not None:
                metrics = measure_news(former, _live_bundle(artifacts), table, config)
                live = _of_live(metrics)
        elif split is not None:
            metrics = known_or_measured(table, split, config, artifacts, tensorboard)
        if metrics is not None:
            print_comparison(metrics)
        refusal = gate.refusal(metrics, live)
        if former is None:
            config = with_length(table, config, metrics, tensorboard)
        if memory is not None:
            memory.require(table, config)
        trained = train(table, config, tensorboard, former, workers)
        bundle = _export(
            *(trained, table, metrics, artifacts),
            index_backend=index_backend,
            refusal=refusal,
            stored=stored,
            warm_start=None if former is None else former.record(),
            keep_model=False,
        )
        if workers is not None:
            remove_finished_runs(workers.runs)
        if refusal is not None:
            raise BundleRefused(f"{bundle} is kept and not live: {refusal}")
        console.print(f"{bundle} is live", markup=False, soft_wrap=True)
        return bundle


def with_length(
    table: RatingsTable,
    config: TrainingConfig,
    metrics: dict[str, Any] | None,
    tensorboard: Path | None = None,
) -> TrainingConfig:
    """Set how long to train on all of a table: as was measured with, or as a validation part says now."""
    if metrics is None:
        length = choose_length(table, config, choose_and_say_split(table, "auto")[0], tensorboard)
    else:
        length = TrainingLength.from_document(metrics["training_length"])
    return length.apply(config, table)


def train(
    table: RatingsTable,
    config: TrainingConfig,
    tensorboard: Path | None = None,
    former: FormerBundle | None = None,
    workers: WorkerGroup | None = None,
) -> TrainedModel:
    """Train on every rating, in this process or by workers."""
    with fit_stage("Train on every rating", config, tensorboard) as (running, on_epoch):
        if workers is None:
            warm = None if former is None else former.warm_start()
            return fit_model(table, config, on_epoch, warm=warm)
        # Ray is optional.
        from training.distributed.ray_training import fit_on_workers  # noqa: PLC0415 imports Ray

        return fit_on_workers(table, config, on_epoch, workers=workers, note=running.note)


def export(
    trained: TrainedModel, table: RatingsTable, metrics: dict[str, Any] | None, artifacts: Path
) -> Path:
    """Export a trained model as the live bundle, see `export_bundle`.

    Raises:
        AnotherTraining: Another training holds the lock of `artifacts`.
        ExportError: The bundle cannot be written, or fails a check; CURRENT was not changed.
    """
    require_writable(artifacts)
    with _sole_training(artifacts):
        bundle = _export(trained, table, metrics, artifacts)
    console.print(f"{bundle} is live", markup=False, soft_wrap=True)
    return bundle


def _live_bundle(artifacts: Path) -> FormerBundle | None:
    try:
        return FormerBundle.open(LIVE, artifacts)
    except ConfigurationError:
        return None


def _of_live(metrics: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the live bundle measures on the same rows, as `QualityGate` compares it."""
    of_live = None if metrics is None else metrics["baselines"].get("live_bundle")
    return None if metrics is None or of_live is None else {"split": metrics["split"], "model": of_live}


@contextmanager
def _sole_training(artifacts: Path) -> Iterator[None]:
    with sole_training(artifacts) as leftovers:
        for name in leftovers:
            console.print(f"removed {name}, which a killed training left", markup=False, soft_wrap=True)
        yield


def _export(
    trained: TrainedModel,
    table: RatingsTable,
    metrics: dict[str, Any] | None,
    artifacts: Path,
    **more: Any,
) -> Path:
    """As `export_bundle`, and show its steps."""
    # A step is counted as it begins, so the last one ends with one more.
    with stage("Export", EXPORT_STEPS + 1) as running:
        on_step = partial(running.advance, milestone=True)
        bundle = export_bundle(trained, table, metrics, artifacts, on_step, on_progress=running.note, **more)
        running.advance()
    return bundle


def _live_metrics(artifacts: Path) -> dict[str, Any] | None:
    try:
        directory = read_current(artifacts)
        return FormerBundle(directory, read_manifest(directory)).measured_in_full
    except BundleError:
        return None
