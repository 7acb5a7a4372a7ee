"""What a worker needs for each movie, by a catalogue of made-up titles.

    python -m benchmarks.catalogue_memory --movies 100000 1000000

For each size a process of its own loads `catalogue.json`, has the masks of its genres and the prepared JSON
of every movie made, and says by how much its memory grew: that is private to each worker. Embeddings and
index are mapped from files and shared by all workers of a machine: they are as large as the files.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from service.bundle import CATALOGUE_FILE
from service.loaded.catalogue import Catalogue
from service.recommending.encoding import AnswerEncoder
from service.recommending.filters import Filters
from service.telemetry.resources import Resources

MIB = 2**20
_GENRES = ("Action", "Comedy", "Drama", "Horror", "Romance", "Thriller", "War")
_SYLLABLES = ("ba", "da", "fi", "go", "ka", "lo", "mi", "ne", "pu", "ra", "se", "ti", "vo", "zu")


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description="Memory of a worker by movies, as a table.")
    parser.add_argument("--movies", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        sys.stdout.write(str(_grown_bytes(arguments.measure)))
        return
    sys.stdout.write("| movies | catalogue.json | private to a worker |\n| ---: | ---: | ---: |\n")
    for num_movies in arguments.movies:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, CATALOGUE_FILE)
            path.write_text(json.dumps(_catalogue(num_movies)), encoding="utf-8")
            measured = subprocess.run(  # noqa: S603  # itself
                [sys.executable, "-m", "benchmarks.catalogue_memory", "--measure", directory],
                check=True,
                capture_output=True,
                text=True,
            )
            grown = int(measured.stdout)
            sizes = f"{path.stat().st_size / MIB:,.0f} MiB | {grown / MIB:,.0f} MiB"
        sys.stdout.write(f"| {num_movies:,} | {sizes} |\n")


def _grown_bytes(directory: Path) -> int:
    before = Resources.of_this_process().resident_bytes
    catalogue = Catalogue.load(directory)
    filters = Filters(catalogue)
    encoder = AnswerEncoder(catalogue, "made-up")
    for row in range(len(catalogue)):
        encoder._movie(row)
    grown = Resources.of_this_process().resident_bytes - before
    del filters
    return grown


def _catalogue(num_movies: int) -> dict[str, list[object]]:
    """Titles of one to four words, of 20,000 words in all, with a year."""
    draw = random.Random(0)  # noqa: S311 no secret
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))).capitalize() for _ in range(20_000)]
    years = [draw.randint(1920, 2025) for _ in range(num_movies)]
    return {
        "movie_ids": [str(row) for row in range(num_movies)],
        "titles": [f"{' '.join(draw.choices(words, k=draw.randint(1, 4)))} ({year})" for year in years],
        "genres": [draw.sample(_GENRES, draw.randint(1, 3)) for _ in range(num_movies)],
        "years": list(years),
        "num_ratings": [int(draw.paretovariate(0.8)) for _ in range(num_movies)],
    }


if __name__ == "__main__":
    main()
