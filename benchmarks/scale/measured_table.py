"""A table with a row for each size of synthetic ratings, printed and written into a page."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import describe_machine, format_machine
from benchmarks.page import markdown_table, replace_between
from benchmarks.scale.synthetic_ratings import write_ratings

_PACKAGES = ("tensorflow-cpu", "keras", "numpy")


class Size(NamedTuple):
    """How much data."""

    ratings: int
    users: int
    movies: int


def measure_sizes(
    description: str | None,
    mark: str,
    headings: Sequence[str],
    sizes: Mapping[str, Size],
    measure: Callable[[str, Path], Sequence[str]],
) -> None:
    """Measure the sizes that the command line names, print the table and write it into `--page`.

    Args:
        description: Of the command.
        mark: Of the table in the page.
        headings: Of the table.
        sizes: By name; their ratings are made once and kept in `--data`.
        measure: Called with a name and the directory of its ratings, returns a row.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=sizes, default=list(sizes))
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "matinee-scale")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.only:
        directory = arguments.data / name
        if not (directory / "ratings.csv").exists():
            write_ratings(directory, **sizes[name]._asdict())
        rows.append(measure(name, directory))
        sys.stdout.write(f"{name}: {' | '.join(rows[-1])}\n")
    machine = format_machine(describe_machine(_PACKAGES))
    text = f"{machine}\n\n{markdown_table(headings, rows)}\n"
    sys.stdout.write(f"\n{text}")
    if arguments.page:
        replace_between(arguments.page, mark, text)
