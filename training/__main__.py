"""`python -m training`: the command line. What a command does, stage by stage, is in `training.pipeline`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from training.cli import bundle_commands
from training.cli.options import (
    DEFAULT_ARTIFACTS,
    Artifacts,
    Data,
    Dataset,
    Epochs,
    Evaluation,
    Index,
    Layers,
    Preset,
    Purpose,
    Seed,
    Split,
    TensorBoard,
    Version,
    Weight,
)
from training.cli.progress import console
from training.config import PRESETS, TrainingConfig
from training.errors import ConfigurationError, TrainingError
from training.experiments import experiment_commands as experiments

# What shells report of a process that a signal ended: 128 and its number. Typer leaves so after Ctrl-C.
_INTERRUPTED, _TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM

app = typer.Typer(
    help="Trains the two-tower model on ratings, measures it, and exports bundles for the service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bundle_commands.register(app)
app.add_typer(experiments.app, name="experiments")


@app.command()
def fit(
    data: Data = "auto",
    dataset: Version = Dataset.ML_100K,
    evaluate: Annotated[
        Evaluation, typer.Option(help="The split to measure on first.")
    ] = Evaluation.TEMPORAL,
    artifacts: Artifacts = DEFAULT_ARTIFACTS,
    index: Annotated[
        Index, typer.Option(help="annoy, or usearch, a graph; docs/performance.md compares them.")
    ] = Index.ANNOY,
    preset: Purpose = Preset.FORWARD,
    layers: Layers = None,
    retrieval_weight: Weight = None,
    rating_weight: Weight = None,
    epochs: Epochs = None,
    seed: Seed = None,
    tensorboard: TensorBoard = None,
) -> None:
    """Measures on held-out ratings, then trains on every rating and exports that as the live bundle."""
    config = _config(
        preset,
        layers,
        retrieval_weight=retrieval_weight,
        rating_weight=rating_weight,
        epochs=epochs,
        seed=seed,
    )
    from training import pipeline  # noqa: PLC0415  # takes seconds, which --help and typing errors need not

    held_out = None if evaluate is Evaluation.NONE else evaluate.value
    pipeline.fit(
        data, dataset.value, config, held_out, artifacts, tensorboard=tensorboard, index_backend=index.value
    )


@app.command()
def evaluate(
    split: Annotated[Split, typer.Option(help="How ratings are held out.")] = Split.TEMPORAL,
    data: Data = "auto",
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
    preset: Purpose = Preset.FORWARD,
    layers: Layers = None,
    retrieval_weight: Weight = None,
    rating_weight: Weight = None,
    epochs: Epochs = None,
    seed: Seed = None,
    tensorboard: TensorBoard = None,
) -> None:
    """Trains on a part of the ratings and measures on the rest, beside the baselines."""
    config = _config(
        preset,
        layers,
        retrieval_weight=retrieval_weight,
        rating_weight=rating_weight,
        epochs=epochs,
        seed=seed,
    )
    from training import pipeline  # noqa: PLC0415  # as above

    if ablation and baselines:
        raise ConfigurationError("--ablation compares the model with itself: leave out --baselines")
    if ablation:
        pipeline.ablate(data, dataset.value, config, split.value, artifacts)
        return
    mark = split.value if preset is Preset.FORWARD else f"{split.value} {preset.value}"
    pipeline.evaluate(
        data,
        dataset.value,
        config,
        split.value,
        artifacts,
        seeds=seeds,
        baselines=baselines,
        readme=readme,
        readme_mark=mark,
        tensorboard=tensorboard,
    )


def _config(preset: Preset, layers: str | None, **overrides: Any) -> TrainingConfig:
    """The preset with what the command line overrides."""
    given = PRESETS[preset.value] | {name: value for name, value in overrides.items() if value is not None}
    if layers is not None:
        try:
            given["layers"] = tuple(int(width) for width in layers.split(",") if width.strip())
        except ValueError as error:
            raise ConfigurationError(f"--layers must be widths such as 64,32, got {layers!r}") from error
    return TrainingConfig(**given)


def main() -> None:
    """Runs a command; a foreseen error is one line on standard error and its exit code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's greetings are no news to anyone
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # As Ctrl-C does: without this a half-written bundle would stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    try:
        app()
    except TrainingError as error:
        console.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except SystemExit as leaving:
        if leaving.code in {_INTERRUPTED, _TERMINATED}:
            console.print("interrupted; nothing was left half-written")
        raise


if __name__ == "__main__":
    main()
