"""Memory per million movies, users and ratings.

    python -m benchmarks.catalogue_memory --bundle artifacts/BUNDLE_ID --page docs/deployment.md

A subprocess loads a synthetic `catalogue.json`, builds the genre masks and the prepared JSON of every movie,
and reports by how much its memory grew. The rest is computed from the given bundle: from the model's
variables, and from its files, which are as large in memory as on disk.
"""

from __future__ import annotations

import argparse
import math
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.page import markdown_table, replace_between
from service.bundle.candidate_index import CANDIDATES_FILE, INDEX_FILES
from service.bundle.catalogue import Catalogue
from service.bundle.histories import HISTORY_ARRAYS
from service.bundle.manifest import read_manifest
from service.bundle.rating_head import RATING_ARRAYS
from service.bundle.saved_model import MODEL_DIRECTORY
from service.recommending.encoding import AnswerEncoder
from service.recommending.filters import Filters
from service.recommending.movie_search import MovieSearch
from service.telemetry.resources import Resources

MIB = 2**20
MARK = "benchmarks.catalogue_memory"
_MILLION = 1_000_000
_GENRES = ("Action", "Comedy", "Drama", "Horror", "Romance", "Thriller", "War")
_SYLLABLES = ("ba", "da", "fi", "go", "ka", "lo", "mi", "ne", "pu", "ra", "se", "ti", "vo", "zu")


def main() -> None:
    """Print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description="Memory by movies, users and ratings, as a table.")
    parser.add_argument("--bundle", type=Path, help="bundle whose arrays are measured")
    parser.add_argument("--page", type=Path, help="whose table is replaced")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        sys.stdout.write(str(_grown_bytes(arguments.measure)))
        return
    if arguments.bundle is None:
        parser.error("--bundle: expected the directory of a bundle, got none")
    headings = ["for a million:", "what:", "MiB", "whose:"]
    rows = [_measured(), *_mapped(arguments.bundle.absolute()), *_variables(arguments.bundle.absolute())]
    table = markdown_table(headings, rows)
    sys.stdout.write(f"{table}\n")
    if arguments.page:
        replace_between(arguments.page, MARK, table)


def _measured() -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        _catalogue(_MILLION).write(Path(directory))
        measured = subprocess.run(  # noqa: S603  # itself
            [sys.executable, "-m", "benchmarks.catalogue_memory", "--measure", directory],
            check=True,
            capture_output=True,
            text=True,
        )
    grown = int(measured.stdout) / MIB
    what = "titles, search, masks of genres, prepared JSON; measured"
    return ["movies", what, f"{grown:,.0f}", "each worker's"]


def _mapped(bundle: Path) -> list[list[str]]:
    manifest = read_manifest(bundle)
    backend = manifest.index.backend
    histories = HISTORY_ARRAYS.values()
    parts = [
        ("movies", "embeddings", [CANDIDATES_FILE]),
        ("movies", f"the index, {backend}", [INDEX_FILES[backend]] if backend in INDEX_FILES else []),
        ("movies", "vectors of the rating head", RATING_ARRAYS.values()),
        ("ratings", "histories, users' ids among them", histories),
    ]
    rows = []
    for of, what, files in parts:
        each_bytes = sum(manifest.files[name]["bytes"] for name in files) / manifest.dataset[of]
        rows.append(_computed(of, f"{what}, {each_bytes:.0f} bytes", each_bytes, "a machine's, mapped"))
    return rows


def _variables(bundle: Path) -> list[list[str]]:
    import tensorflow as tf  # noqa: PLC0415 not in the process that is measured

    dataset = read_manifest(bundle).dataset
    reader = tf.train.load_checkpoint(str(bundle / MODEL_DIRECTORY / "variables" / "variables"))
    types = reader.get_variable_to_dtype_map()
    row_bytes = dict.fromkeys(("movies", "users", "ratings"), 0)
    for name, shape in reader.get_variable_to_shape_map().items():
        for of in row_bytes:
            if shape and shape[0] == dataset[of] and types[name] != tf.string:
                row_bytes[of] += math.prod(shape[1:]) * types[name].size
    return [
        _computed(of, f"variables of the model, {each_bytes} bytes", each_bytes, "each worker's")
        for of, each_bytes in row_bytes.items()
    ]


def _computed(of: str, what: str, each_bytes: float, whose: str) -> list[str]:
    return [of, what, f"{_MILLION * each_bytes / MIB:,.0f}", whose]


def _grown_bytes(directory: Path) -> int:
    before = Resources.of_this_process().resident_bytes
    catalogue = Catalogue.open(directory)
    kept = Filters(catalogue), MovieSearch(catalogue)
    encoder = AnswerEncoder(catalogue, "made-up")
    for row in range(len(catalogue)):
        encoder._movies[row]
    grown = Resources.of_this_process().resident_bytes - before
    del kept
    return grown


def _catalogue(num_movies: int) -> Catalogue:
    """Make titles of one to four words out of 20,000 words, with a year."""
    draw = random.Random(0)  # noqa: S311 no secret
    words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))).capitalize() for _ in range(20_000)]
    years = [draw.randint(1920, 2025) for _ in range(num_movies)]
    return Catalogue(
        movie_ids=[str(row) for row in range(num_movies)],
        titles=[f"{' '.join(draw.choices(words, k=draw.randint(1, 4)))} ({year})" for year in years],
        genres=[draw.sample(_GENRES, draw.randint(1, 3)) for _ in range(num_movies)],
        years=list(years),
        num_ratings=[int(draw.paretovariate(0.8)) for _ in range(num_movies)],
    )


if __name__ == "__main__":
    main()
