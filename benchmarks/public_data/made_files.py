"""Files made of those fetched: parts of one table joined, and Jester's matrix as rows."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from benchmarks.public_data.r_data import read_r_data

Writer = Callable[[Path, Path], None]


def join_rows(parts: tuple[str, ...], header: str) -> Writer:
    """Return a writer of `header` and then all lines of `parts`, which have no header."""

    def write(directory: Path, to: Path) -> None:
        with to.open("w", encoding="utf-8", newline="\n") as joined:
            joined.write(f"{header}\n")
            for part in parts:
                joined.writelines(f"{line}\n" for line in _lines(directory / part))

    return write


def join_events(parts: dict[str, str], header: str) -> Writer:
    """Return a writer of the lines of files with a header, the last column replaced by the file's event.

    Args:
        parts: Event by file.
        header: First line of what is written; columns are separated by tabs.
    """

    def write(directory: Path, to: Path) -> None:
        with to.open("w", encoding="utf-8", newline="\n") as joined:
            joined.write(f"{header}\n")
            for part, event in parts.items():
                rows = (line.rsplit("\t", 1)[0] for line in _lines(directory / part)[1:])
                joined.writelines(f"{row}\t{event}\n" for row in rows)

    return write


def write_jester_ratings(directory: Path, to: Path) -> None:
    """Write the ratings of recommenderlab's `Jester5k.rda`, a sparse matrix by columns, as rows."""
    matrix = read_r_data(directory / "parts/Jester5k.rda")["Jester5k"].attributes["data"].attributes
    users, jokes = (names.value for names in matrix["Dimnames"].value)
    starts = matrix["p"].value
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["user_id", "joke_id", "rating"])
        for column, joke in enumerate(jokes):
            rated = slice(starts[column], starts[column + 1])
            ratings = zip(matrix["i"].value[rated], matrix["x"].value[rated], strict=True)
            writer.writerows((users[row], joke, f"{rating:g}") for row, rating in ratings)


def write_jester_jokes(directory: Path, to: Path) -> None:
    """Write the jokes' texts of the same file as titles."""
    saved = read_r_data(directory / "parts/Jester5k.rda")
    _, jokes = (names.value for names in saved["Jester5k"].attributes["data"].attributes["Dimnames"].value)
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["joke_id", "title"])
        writer.writerows(zip(jokes, saved["JesterJokes"].value, strict=True))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
