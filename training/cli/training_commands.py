"""`fit` and `evaluate`: commands that train. Their stages are in `pipeline` and `evaluation_pipeline`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from training.cli.data_loading import read_first
from training.cli.given_hyperparameters import given_config
from training.cli.hyperparameter_list import in_one_paragraph_each
from training.cli.options import (
    DEFAULT_ARTIFACTS,
    Artifacts,
    ArtifactsOrUrl,
    ConfigFile,
    Data,
    Dataset,
    Epochs,
    Evaluation,
    Index,
    Layers,
    Preset,
    Purpose,
    RayAddress,
    Seed,
    Settings,
    Split,
    Store,
    TensorBoard,
    Version,
    Weight,
    Workers,
)
from training.cli.quiet_tensorflow import import_tensorflow_quietly
from training.cli.reading_arguments import reads_files
from training.data.memory_limit import MemoryLimit
from training.data.reading_options import ReadingOptions
from training.distributed.ray_cluster import require_ray
from training.distributed.worker_group import RUNS_DIRECTORY, WorkerGroup
from training.errors import ConfigurationError
from training.export.published_artifacts import PublishedArtifacts
from training.export.quality_gate import QualityGate


def register(app: typer.Typer) -> None:
    """Add the commands."""
    hyperparameters = in_one_paragraph_each()
    app.command(epilog=hyperparameters)(reads_files(fit))
    app.command(epilog=hyperparameters)(reads_files(evaluate))


def fit(
    data: Data = "auto",
    store: Store = None,
    dataset: Version = Dataset.ML_100K,
    evaluate: Annotated[
        Evaluation, typer.Option(help="The split to measure on first; auto as of `evaluate`.")
    ] = Evaluation.AUTO,
    artifacts: ArtifactsOrUrl = str(DEFAULT_ARTIFACTS),
    at_least: Annotated[
        str,
        typer.Option(
            metavar="hit_rate_at_100=0.3,rmse=0.95",
            help="What a bundle must measure to go live, at most for RMSE; else it is kept, and refused.",
        ),
    ] = "",
    no_worse_than_live: Annotated[
        float | None,
        typer.Option(
            metavar="0.05",
            help="By which share no measure may be worse than the live bundle's; else as above.",
        ),
    ] = None,
    index: Annotated[
        Index,
        typer.Option(
            help="annoy; usearch, a graph; faiss, codes in lists; docs/performance.md compares them."
        ),
    ] = Index.ANNOY,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="4GiB",
            help="What training may take: ratings that do not fit are kept in mapped files; it ends at once "
            "where that is not enough.",
        ),
    ] = None,
    warm_start: Annotated[
        str | None,
        typer.Option(
            metavar="BUNDLE",
            help="Learn on from this bundle, a directory or `live`, in a tenth of the time; "
            "what is new to it is measured.",
        ),
    ] = None,
    preset: Purpose = Preset.FORWARD,
    config_file: ConfigFile = None,
    settings: Settings = None,
    layers: Layers = None,
    retrieval_weight: Weight = None,
    rating_weight: Weight = None,
    epochs: Epochs = None,
    seed: Seed = None,
    tensorboard: TensorBoard = None,
    workers: Workers = None,
    ray_address: RayAddress = None,
    worker_processors: Annotated[
        int, typer.Option(min=1, help="Processors of each worker, which are its threads.")
    ] = 1,
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Of a training by workers, on every machine under this path; ARTIFACTS/runs by default.",
        ),
    ] = None,
    *,
    reading: ReadingOptions,
) -> None:
    """Measure on held-out ratings, then train on every rating and export that as the live bundle."""
    config = given_config(
        preset.value,
        config_file,
        settings or (),
        layers=layers,
        retrieval_weight=retrieval_weight,
        rating_weight=rating_weight,
        epochs=epochs,
        seed=seed,
    )
    gate = QualityGate.parse(at_least, no_worse_than_live)
    held_out = None if evaluate is Evaluation.NONE else evaluate.value
    if held_out is None and at_least:
        raise ConfigurationError("--at-least needs measures: leave out --evaluate none")
    if warm_start is not None and evaluate not in {Evaluation.AUTO, Evaluation.NONE}:
        raise ConfigurationError(
            f"--evaluate {evaluate.value} would hold out ratings that the bundle of --warm-start was "
            "trained on: leave it out, and what is new is measured, or take --evaluate none"
        )
    if warm_start is not None and workers is not None and workers > 1:
        raise ConfigurationError("--warm-start trains in one process: leave out --workers")
    published = PublishedArtifacts(artifacts)
    directory = published.directory
    group = _group(workers, ray_address, worker_processors, checkpoints or directory / RUNS_DIRECTORY)
    limit = None if memory is None else MemoryLimit.parse(memory, directory, config)
    source = read_first(data, dataset.value, reading, limit)
    with published.published():
        import_tensorflow_quietly()
        from training import pipeline  # noqa: PLC0415  see `quiet_tensorflow`

        pipeline.fit(
            source,
            dataset.value,
            config,
            held_out,
            directory,
            tensorboard=tensorboard,
            index_backend=index.value,
            gate=gate,
            store=store,
            warm_start=warm_start,
            memory=limit,
            workers=group,
        )


def evaluate(
    split: Annotated[
        Split,
        typer.Option(
            help="How ratings are held out. global: all after one moment; temporal: each user's last; "
            "auto: global, or random where times tell nothing."
        ),
    ] = Split.AUTO,
    data: Data = "auto",
    store: Store = None,
    dataset: Version = Dataset.ML_100K,
    artifacts: Artifacts = DEFAULT_ARTIFACTS,
    seeds: Annotated[int, typer.Option(min=1, help="Train this often and print the mean.")] = 1,
    readme: Annotated[
        Path | None, typer.Option(help="A file whose table of this split and preset to replace.")
    ] = None,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Measure instead what the model is without each of its parts.")
    ] = False,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Beside iALS, SVD and SASRec too; `make install-baselines`.")
    ] = False,
    extras: Annotated[bool, typer.Option(help="Measure cold start and the index's recall too.")] = True,
    preset: Purpose = Preset.FORWARD,
    config_file: ConfigFile = None,
    settings: Settings = None,
    layers: Layers = None,
    retrieval_weight: Weight = None,
    rating_weight: Weight = None,
    epochs: Epochs = None,
    seed: Seed = None,
    tensorboard: TensorBoard = None,
    workers: Workers = None,
    ray_address: RayAddress = None,
    *,
    reading: ReadingOptions,
) -> None:
    """Train on a part of the ratings and measure on the rest, beside the baselines."""
    config = given_config(
        preset.value,
        config_file,
        settings or (),
        layers=layers,
        retrieval_weight=retrieval_weight,
        rating_weight=rating_weight,
        epochs=epochs,
        seed=seed,
    )
    if ablation and baselines:
        raise ConfigurationError("--ablation compares the model with itself: leave out --baselines")
    if ablation and workers is not None:
        raise ConfigurationError("--ablation measures in this process: leave out --workers")
    source = read_first(data, dataset.value, reading)
    if workers is not None:
        require_ray()
    import_tensorflow_quietly()
    from training import evaluation_pipeline  # noqa: PLC0415  see `quiet_tensorflow`

    if ablation:
        evaluation_pipeline.ablate(source, dataset.value, config, split.value, artifacts, store=store)
        return
    measure = None
    if workers is not None:
        from training.distributed.ray_evaluation import RayShards  # noqa: PLC0415 imports Ray

        measure = RayShards(workers, ray_address)
    evaluation_pipeline.evaluate(
        source,
        dataset.value,
        config,
        split.value,
        artifacts,
        seeds=seeds,
        baselines=baselines,
        extras=extras,
        readme=readme,
        readme_preset="" if preset is Preset.FORWARD else preset.value,
        tensorboard=tensorboard,
        store=store,
        measure=measure,
    )


def _group(count: int | None, address: str | None, processors: int, runs: Path) -> WorkerGroup | None:
    """Workers of the last training, if there are to be several; the check that Ray is there comes first."""
    if count is None or count == 1:
        if address is not None:
            raise ConfigurationError("--ray-address is of a training by several workers: add --workers")
        return None
    require_ray()
    return WorkerGroup(count=count, address=address, processors=processors, runs=runs)
