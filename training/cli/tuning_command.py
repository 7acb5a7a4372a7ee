"""`tune`: search hyper-parameters. What it does is in `training.tuning`."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from training.cli.data_loading import read_first
from training.cli.given_hyperparameters import given_config
from training.cli.options import (
    DEFAULT_ARTIFACTS,
    Artifacts,
    ConfigFile,
    Data,
    Dataset,
    Preset,
    Purpose,
    RayAddress,
    Seed,
    Settings,
    Split,
    Store,
    Version,
    Workers,
)
from training.cli.quiet_tensorflow import import_tensorflow_quietly
from training.cli.reading_arguments import reads_files
from training.data.inspection import training_command
from training.data.reading_options import ReadingOptions
from training.errors import ConfigurationError


class Objective(StrEnum):
    """What is to be best; `training.evaluation.validation_quality`."""

    ALL = "all"
    HIT_RATE_AT_100 = "hit_rate_at_100"
    NDCG_AT_10 = "ndcg_at_10"
    RMSE = "rmse"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("tune")(reads_files(tune))


def tune(
    data: Data = "auto",
    store: Store = None,
    dataset: Version = Dataset.ML_100K,
    split: Annotated[
        Split, typer.Option(help="How test rows are held out, which the search never sees; as of `evaluate`.")
    ] = Split.AUTO,
    objective: Annotated[
        Objective, typer.Option(help="What is to be best; all: the sum of relative changes of the three.")
    ] = Objective.ALL,
    trials: Annotated[
        int, typer.Option(min=1, help="Until the study has as many, those of earlier runs among them.")
    ] = 30,
    seconds: Annotated[
        float | None, typer.Option("--seconds", "--timeout", min=0, help="Begin no trial after so many.")
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where trials are kept, for the same command to go on; the report stands beside it. By "
            "default in the artifacts, by data, split, objective, hyper-parameters and version.",
        ),
    ] = None,
    artifacts: Artifacts = DEFAULT_ARTIFACTS,
    preset: Purpose = Preset.FORWARD,
    config_file: ConfigFile = None,
    settings: Settings = None,
    seed: Seed = None,
    workers: Workers = None,
    ray_address: RayAddress = None,
    *,
    reading: ReadingOptions,
) -> None:
    """Search hyper-parameters on a validation part of the training ratings, never on test ratings."""
    if find_spec("optuna") is None:
        raise ConfigurationError("tune needs the package optuna: pip install -r requirements/training.txt")
    config = given_config(preset.value, config_file, settings or (), seed=seed)
    source = read_first(data, dataset.value, reading)
    import_tensorflow_quietly()
    from training.tuning import tuning  # noqa: PLC0415  see `quiet_tensorflow`

    with ExitStack() as stack:
        run_trials = None
        if workers is not None:
            from training.distributed.ray_cluster import ray_cluster  # noqa: PLC0415  # optional

            stack.enter_context(ray_cluster(ray_address, processors=workers))
            from training.distributed.ray_tuning import RayTrials  # noqa: PLC0415 imports Ray

            run_trials = RayTrials(workers)
        tuning.tune(
            source,
            dataset.value,
            config,
            split.value,
            artifacts,
            objective=objective.value,
            trials=trials,
            seconds=seconds,
            study=study,
            command=_fit_command(data, store, dataset, split, artifacts, reading),
            store=store,
            run_trials=run_trials,
        )


def _fit_command(
    data: str, store: str | None, dataset: Dataset, split: Split, artifacts: Path, reading: ReadingOptions
) -> str:
    """Return the command that measures and trains as the search did."""
    options = {
        "--dataset": (dataset.value, Dataset.ML_100K.value),
        "--evaluate": (split.value, Split.AUTO.value),
        "--artifacts": (str(artifacts), str(DEFAULT_ARTIFACTS)),
    }
    given = [part for name, (value, usual) in options.items() if value != usual for part in (name, value)]
    if store is None:
        feedback = ""
    elif "://" in store:  # the report shows the command, and a URL may have a password
        feedback = '--store "$MATINEE_STORE"'
    else:
        feedback = f"--store {shlex.quote(store)}"
    return " ".join(filter(None, [training_command(data, reading), feedback, shlex.join(given)]))
