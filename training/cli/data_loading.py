"""Load the ratings of a command, and say how they were understood."""

from __future__ import annotations

from training.cli.progress import console, stage
from training.data.memory_limit import MemoryLimit
from training.data.reading import Reading
from training.data.reading_options import ReadingOptions
from training.data.sources import is_path, load_reading
from training.data.stored_feedback import StoredFeedback
from training.data.table import RatingsTable


def read_first(
    source: str, dataset: str, options: ReadingOptions, memory: MemoryLimit | None = None
) -> str | RatingsTable:
    """Read a path's ratings before the seconds that TensorFlow takes to import.

    Returns:
        The ratings; the source itself if it is no path, for it needs TensorFlow.

    Raises:
        DataError: The files are wrong.
        ConfigurationError: There are options for a source that is no path, or `memory` is not enough.
    """
    if not is_path(source) and not options.as_arguments():
        return source
    return _placed(load(source, dataset, options), memory)


def load(source: str, dataset: str, options: ReadingOptions | None = None) -> RatingsTable:
    """Load ratings with `load_reading`; print their numbers, their source and what is to be known of them."""
    with stage("Load ratings") as running:
        reading = load_reading(source, dataset, options)
        running.advance()
    print_reading(reading)
    return reading.table


def load_with_store(
    source: str | RatingsTable, dataset: str, store: str | None, memory: MemoryLimit | None = None
) -> tuple[RatingsTable, StoredFeedback | None]:
    """Load ratings, where they are not loaded yet, and lay over them what was posted to the service.

    Args:
        source: What to load, see `load_reading`; or ratings that are loaded.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        store: The store of feedback: a path, or a URL of PostgreSQL; None for none.
        memory: What training may take.

    Raises:
        SourceError: The store cannot be read.
        ConfigurationError: `memory` is not enough.
    """
    table = _placed(source if isinstance(source, RatingsTable) else load(source, dataset), memory)
    if store is None:
        return table, None
    stored = _load_stored(table, store)
    return stored.table, stored


def _placed(table: RatingsTable, memory: MemoryLimit | None) -> RatingsTable:
    placed = table if memory is None else memory.placed(table)
    if placed is not table:
        console.print("  ratings are kept in mapped files, as --memory needs it", markup=False)
    return placed


def print_reading(reading: Reading) -> None:
    """Print how ratings were understood, to standard error."""
    table = reading.table
    lines = [
        f"{table.num_ratings:,} ratings of {table.num_movies:,} movies by {table.num_users:,} users "
        f"from {table.source}",
        *(f"  {file.in_words()}" for file in reading.files),
    ]
    if table.num_replaced:
        what = (
            "ratings were replaced by later ones of"
            if table.is_rated.any()
            else "rows were merged with others of"
        )
        lines.append(f"{table.num_replaced:,} {what} the same movie")
    if reading.num_unknown_items:
        lines.append(
            f"{reading.num_unknown_items:,} rated movies are not in the items' file: ids serve as titles"
        )
    lines += [f"left out: {message}" for message in reading.skipped]
    if reading.num_skipped:
        lines.append(f"{reading.num_skipped:,} rows were left out with --skip-bad-rows")
    lines += [f"warning: {warning}" for warning in reading.warnings]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _load_stored(table: RatingsTable, store: str) -> StoredFeedback:
    with stage("Load the store of feedback") as running:
        stored = StoredFeedback.over(table, store)
        running.advance()
    console.print(
        f"{stored.num_pairs:,} ratings and watches of the store at position {stored.position:,}; "
        f"{stored.num_described:,} movies are described as they were put; "
        f"{stored.num_forgotten:,} users who were forgotten are left out",
        markup=False,
        soft_wrap=True,
    )
    return stored
