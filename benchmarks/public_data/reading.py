"""Load a data set by the options with which a command would read it."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from training.cli.reading_arguments import reads_files
from training.data.reading_options import ReadingOptions
from training.data.sources import load_ratings
from training.data.table import RatingsTable

_DEFAULT = ReadingOptions()


def load_options(options: Sequence[str]) -> RatingsTable:
    """Load ratings by options such as `--data ratings.csv --not-rated 0`."""
    loaded: list[RatingsTable] = []

    @reads_files
    def load(data: str = "auto", dataset: str = "100k", reading: ReadingOptions = _DEFAULT) -> None:
        loaded.append(load_ratings(data, dataset, reading))

    app = typer.Typer(add_completion=False)
    app.command()(load)
    typer.main.get_command(app).main(list(options), standalone_mode=False)
    return loaded[0]
