"""Build the ratings and movie tables from the columns of any source, deduplicated and with ordered ids."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from service.bundle.title_year import year_of
from training.data.repeats import Repeats, without_repeats
from training.data.table import MovieTable, RatingsTable, UserFeature, id_order

# GroupLens's spellings of an unknown genre.
_NO_GENRE = {"", "(no genres listed)", "unknown", "Unknown"}

MOST_TIED = 0.5
"""Times are real if at most this share of pairs of one user's ratings has equal times; 100K: 0.01."""


def assemble_movies(
    movie_ids: Sequence[str],
    titles: Sequence[str],
    genres: Sequence[Sequence[str]],
    *,
    years: Sequence[int] | None = None,
    features: Mapping[str, Sequence[Sequence[str]]] | None = None,
) -> MovieTable:
    """Build the movie table: in id order, genres normalized.

    Args:
        movie_ids: Distinct ids in any order, shape [num_movies].
        titles: Titles of these movies.
        genres: Genres of these movies, in any spelling that GroupLens uses.
        years: Years of release, 0 where the title is to be parsed for it; None: every title is.
        features: Further content features by name: the values of each movie.
    """
    order = id_order(movie_ids)
    ordered_titles = tuple(titles[row].strip() for row in order)
    known_years = [0] * len(order) if years is None else [years[row] for row in order]
    parsed = [year or year_of(title) or 0 for year, title in zip(known_years, ordered_titles, strict=True)]
    return MovieTable(
        movie_ids=tuple(movie_ids[row] for row in order),
        titles=ordered_titles,
        genres=tuple(_known_genres(genres[row]) for row in order),
        years=np.array(parsed, np.int32),
        features={
            name: tuple(tuple(values[row]) for row in order) for name, values in (features or {}).items()
        },
    )


def assemble_ratings(
    *,
    user_ids: Sequence[str],
    user_codes: NDArray[np.integer[Any]],
    movies: MovieTable,
    movie_rows: NDArray[np.integer[Any]],
    stars: NDArray[np.float32],
    timestamps: NDArray[np.int64] | None,
    user_features: Mapping[str, Sequence[str]],
    name: str,
    source: str,
    weights: NDArray[np.float32] | None = None,
    repeats: Repeats = "latest",
) -> RatingsTable:
    """Build the ratings table: users in id order, each (user, movie) pair once, see `without_repeats`.

    Rows keep their order. Times that do not say which of a user's ratings came first (`MOST_TIED`) are
    dropped, after that.

    Args:
        user_ids: Distinct ids in any order, shape [num_users].
        user_codes: Position in `user_ids` of each rating, shape [n].
        movies: The candidates.
        movie_rows: Position in `movies` of each rating, shape [n].
        stars: Ratings, NaN where the user did not rate, shape [n].
        timestamps: Unix seconds, shape [n]; None without times.
        user_features: Values by feature name, one for each id of `user_ids`, empty if missing.
        name: Name of the data set.
        source: Description of where it came from.
        weights: How much each row counts as a watch, shape [n]; None: 1.
        repeats: What becomes of the weights of a pair's rows.
    """
    order = id_order(user_ids)
    row_of_code = np.empty(len(order), np.int32)
    row_of_code[order] = np.arange(len(order), dtype=np.int32)
    table = RatingsTable(
        user_rows=row_of_code[user_codes],
        movie_rows=movie_rows.astype(np.int32, copy=False),
        stars=stars,
        weights=np.ones(len(stars), np.float32) if weights is None else weights,
        timestamps=np.full(len(stars), NO_TIMESTAMP, np.int64) if timestamps is None else timestamps,
        has_times=timestamps is not None,
        user_ids=tuple(user_ids[row] for row in order),
        movies=movies,
        user_features={
            feature: UserFeature.of([values[row] for row in order])
            for feature, values in user_features.items()
        },
        name=name,
        source=source,
        num_replaced=0,
    )
    latest = without_repeats(table, repeats)
    if latest.has_times and share_tied(latest.user_rows, latest.timestamps) > MOST_TIED:
        none = np.full(len(latest), NO_TIMESTAMP, np.int64)
        return dataclasses.replace(latest, timestamps=none, has_times=False)
    return latest


def share_tied(user_rows: NDArray[np.integer[Any]], timestamps: NDArray[np.int64]) -> float:
    """Share of pairs of one user's ratings that have equal times; of all pairs if no user has two ratings."""
    counts = np.bincount(user_rows).astype(np.float64)
    num_pairs = float((counts * (counts - 1)).sum())
    if num_pairs == 0:
        return share_tied(np.zeros_like(user_rows), timestamps) if len(user_rows) > 1 else 0.0
    # One number for user and time: sorting by two keys takes six times as long.
    moments = timestamps - timestamps.min()
    num_moments = int(moments.max()) + 1
    if len(counts) * num_moments >= 2**63:
        distinct, moments = np.unique(timestamps, return_inverse=True)
        num_moments = len(distinct)
    keys = np.sort(user_rows.astype(np.int64) * num_moments + moments)
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    runs = np.diff(np.append(starts, len(keys))).astype(np.float64)
    return float((runs * (runs - 1)).sum()) / num_pairs


def _known_genres(genres: Sequence[str]) -> tuple[str, ...]:
    stripped = (genre.strip() for genre in genres)
    one_spelling = ("Children" if genre == "Children's" else genre for genre in stripped)
    return tuple(dict.fromkeys(genre for genre in one_spelling if genre not in _NO_GENRE))
