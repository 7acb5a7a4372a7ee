"""What ratings are like: counts, scale, times, and what a model will find hard."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from training.data.assembly import MOST_TIED, share_tied
from training.data.reading import Reading
from training.data.reading_options import ReadingOptions
from training.data.table import RatingsTable

_MOST_REPLACED = 0.1
_MOST_BARS = 12
_NO_TIMES = "no times tell what a user rated first, so nothing can be learnt of what comes next"


@dataclass(frozen=True)
class Inspection:
    """Figures of a data set.

    Attributes:
        rows: Rows of the ratings' file that could be read.
        skipped: Rows of all files that could not.
        ratings: (user, item) pairs.
        replaced: Rows that are another's of the same pair.
        rated: Pairs with a rating; the others are watches.
        users: Users with a pair.
        items: Items, rated or not.
        density: Share of all possible pairs.
        per_user: Smallest, median, mean and largest number of pairs of a user.
        per_item: The same of the items that have one.
        users_with_one: Users with one pair.
        cold_items: Items of the items' file without a pair.
        unknown_items: Rated items without a row in the items' file.
        scale: Lowest and highest rating.
        histogram: Share of the ratings by number, or by range if there are many numbers.
        weights: Smallest, median, mean and largest weight of a pair.
        first, last: Days of the first and the last time.
        has_times: Whether times say which of a user's ratings came first.
        tied: Share of the pairs of a user's ratings that have equal times; None without times.
        genres: Number of different genres.
        titled, dated: Share of the items with a title other than their id, and with a year.
        features: Number of different values by further content feature.
        user_features: Number of different values by feature of users.
        warnings: What may not be as it was meant.
    """

    rows: int
    skipped: int
    ratings: int
    replaced: int
    rated: int
    users: int
    items: int
    density: float
    per_user: dict[str, float]
    per_item: dict[str, float]
    users_with_one: int
    cold_items: int
    unknown_items: int
    scale: tuple[float, float] | None
    histogram: dict[str, float]
    weights: dict[str, float]
    first: str | None
    last: str | None
    has_times: bool
    tied: float | None
    genres: int
    titled: float
    dated: float
    features: dict[str, int]
    user_features: dict[str, int]
    warnings: tuple[str, ...]

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return asdict(self)


def inspect_reading(reading: Reading) -> Inspection:
    """Measure what was read."""
    table, movies = reading.table, reading.table.movies
    per_user = np.bincount(table.user_rows, minlength=table.num_users)
    per_item = table.movie_counts[table.movie_counts > 0]
    titled = sum(title != one for title, one in zip(movies.titles, movies.movie_ids, strict=True))
    first, last = (None, None) if table.time_range is None else map(_day, table.time_range)
    return Inspection(
        rows=reading.num_rows,
        skipped=reading.num_skipped,
        ratings=len(table),
        replaced=table.num_replaced,
        rated=int(np.count_nonzero(table.is_rated)),
        users=table.num_users,
        items=len(movies),
        density=len(table) / (table.num_users * len(movies)),
        per_user=_spread(per_user),
        per_item=_spread(per_item),
        users_with_one=int(np.count_nonzero(per_user == 1)),
        cold_items=int(np.count_nonzero(table.movie_counts == 0)),
        unknown_items=reading.num_unknown_items,
        scale=table.rating_scale,
        histogram=_histogram(table),
        weights=_spread(table.weights),
        first=first,
        last=last,
        has_times=table.has_times,
        tied=share_tied(table.user_rows, table.timestamps) if table.has_times else reading.share_tied,
        genres=len({genre for genres in movies.genres for genre in genres}),
        titled=titled / len(movies),
        dated=float(np.mean(movies.years > 0)),
        features={
            name: len({one for of in values for one in of}) for name, values in movies.features.items()
        },
        user_features={name: len(feature.vocabulary) for name, feature in table.user_features.items()},
        warnings=(*reading.warnings, *_warnings(reading, per_user)),
    )


def training_command(source: str, options: ReadingOptions) -> str:
    """Return the command that trains on what was inspected."""
    words = shlex.join(["matinee", "fit", "--data", source])
    return " ".join(filter(None, [words, options.as_arguments()]))


def _warnings(reading: Reading, per_user: np.ndarray[Any, Any]) -> list[str]:
    table = reading.table
    warnings = []
    if not table.has_times:
        share = reading.share_tied
        tied = (
            "" if share is None else f" ({share:.0%} of a user's pairs of ratings tie, above {MOST_TIED:.0%})"
        )
        warnings.append(_NO_TIMES + tied)
    if not table.is_rated.any():
        warnings.append("no row has a rating: every row is a watch, and no ratings can be predicted")
    if reading.num_unknown_items > len(table.movies) / 2:
        warnings.append(
            f"{reading.num_unknown_items:,} of {len(table.movies):,} items are not in the items' file; "
            "give another with --items if it is the wrong one"
        )
    if table.is_rated.any() and table.num_replaced > _MOST_REPLACED * reading.num_rows:
        warnings.append(
            f"{table.num_replaced:,} of {reading.num_rows:,} rows are of a user and an item that are there "
            "later, and do not count; name the columns with --columns if they are others"
        )
    if num_sated := np.count_nonzero(per_user == len(table.movies)):
        warnings.append(
            f"{num_sated:,} of {table.num_users:,} users have rated every item: nothing is left for them"
        )
    if np.mean(per_user == 1) > 0.5:
        warnings.append("most users have one rating, which says little of what they like")
    return warnings


def _spread(values: np.ndarray[Any, Any]) -> dict[str, float]:
    if not len(values):
        return {}
    figures = {
        "least": values.min(),
        "median": np.median(values),
        "mean": values.mean(),
        "most": values.max(),
    }
    return {name: float(f"{float(value):.6g}") for name, value in figures.items()}


def _histogram(table: RatingsTable) -> dict[str, float]:
    stars = table.stars[table.is_rated]
    if not len(stars):
        return {}
    values, counts = np.unique(stars, return_counts=True)
    if len(values) <= _MOST_BARS:
        return {f"{value:g}": float(count) / len(stars) for value, count in zip(values, counts, strict=True)}
    counts, edges = np.histogram(stars, bins=10)
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return {name: float(count) / len(stars) for name, count in zip(names, counts, strict=True)}


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"
