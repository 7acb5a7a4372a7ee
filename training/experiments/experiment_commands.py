"""`matinee experiments`: the tutorials' experiments, each a command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.cli.data_loading import load, read_first
from training.cli.options import Data
from training.cli.quiet_tensorflow import import_tensorflow_quietly
from training.data.reading_options import ReadingOptions
from training.errors import ConfigurationError

if TYPE_CHECKING:
    from training.config import TrainingConfig
    from training.data.table import RatingsTable
    from training.experiments.outcome import Outcome

app = typer.Typer(help="Rebuilds the models of the published tutorials and compares the figures.")

Epochs = Annotated[
    int | None, typer.Option(min=1, help="Passes over all training ratings, as published if not given.")
]
Seed = Annotated[int, typer.Option(min=0, help="Fixes weights and the order of the ratings.")]
Seeds = Annotated[int, typer.Option(min=1, help="Train each this often; the figures are means.")]
Output = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where to write figures, curves and charts.")
]


@app.command()
def depth(
    data: Data = "auto",
    epochs: Epochs = None,
    seed: Seed = 42,
    seeds: Seeds = 3,
    output: Output = None,
) -> None:
    """Deep retrieval with one, two and three dense layers: three curves in one chart."""
    table = _begin(data, output)
    from training.experiments import depth as experiment  # noqa: PLC0415  see `quiet_tensorflow`

    _end(experiment.run(table, _config(experiment.CONFIG, epochs, seed), seeds), output)


@app.command()
def multitask(
    data: Data = "auto",
    epochs: Epochs = None,
    seed: Seed = 42,
    seeds: Seeds = 5,
    output: Output = None,
) -> None:
    """A model for ratings, one for retrieval, and one for both."""
    table = _begin(data, output)
    from training.experiments import multitask as experiment  # noqa: PLC0415  as above

    _end(experiment.run(table, _config(experiment.CONFIG, epochs, seed), seeds), output)


@app.command()
def quickstart(data: Data = "auto", epochs: Epochs = None, seed: Seed = 42, output: Output = None) -> None:
    """User and title embeddings, exported and queried for user 42's recommendations."""
    table = _begin(data, output)
    from training.experiments import quickstart as experiment  # noqa: PLC0415  as above

    _end(experiment.run(table, _config(experiment.CONFIG, epochs, seed), output), output)


def _config(config: TrainingConfig, epochs: int | None, seed: int) -> TrainingConfig:
    return replace(config, epochs=config.epochs if epochs is None else epochs, seed=seed)


def _begin(data: str, output: Path | None) -> RatingsTable:
    """Check the output directory before the minutes of training, and load the ratings."""
    if output is not None:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"--output {output}: cannot be made: {error.strerror}") from error
    source = read_first(data, "100k", ReadingOptions())
    import_tensorflow_quietly()
    return load(source, "100k") if isinstance(source, str) else source


def _end(outcome: Outcome, output: Path | None) -> None:
    outcome.show()
    if output is not None:
        outcome.write(output)
