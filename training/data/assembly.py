"""Build the ratings and movie tables from the columns of any source, deduplicated and with ordered ids."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.title_year import year_of
from training.data.table import MovieTable, RatingsTable, UserFeature, id_order

# GroupLens's spellings of an unknown genre.
_NO_GENRE = {"", "(no genres listed)", "unknown", "Unknown"}


def assemble_movies(
    movie_ids: Sequence[str], titles: Sequence[str], genres: Sequence[Sequence[str]]
) -> MovieTable:
    """Build the movie table: in id order, genres normalized, years parsed from the titles.

    Args:
        movie_ids: Distinct ids in any order, shape [num_movies].
        titles: Titles of these movies.
        genres: Genres of these movies, in any spelling that GroupLens uses.
    """
    order = id_order(movie_ids)
    ordered_titles = tuple(titles[row].strip() for row in order)
    years = [year_of(title) or 0 for title in ordered_titles]
    return MovieTable(
        movie_ids=tuple(movie_ids[row] for row in order),
        titles=ordered_titles,
        genres=tuple(_known_genres(genres[row]) for row in order),
        years=np.array(years, np.int32),
    )


def assemble_ratings(
    *,
    user_ids: Sequence[str],
    user_codes: NDArray[np.integer[Any]],
    movies: MovieTable,
    movie_rows: NDArray[np.integer[Any]],
    stars: NDArray[np.float32],
    timestamps: NDArray[np.int64],
    user_features: Mapping[str, Sequence[str]],
    name: str,
    source: str,
) -> RatingsTable:
    """Build the ratings table: users in id order, and only the latest rating of each (user, movie) pair.

    Rows keep their order. Of two ratings with the same timestamp the later row counts.

    Args:
        user_ids: Distinct ids in any order, shape [num_users].
        user_codes: Position in `user_ids` of each rating, shape [n].
        movies: The candidates.
        movie_rows: Position in `movies` of each rating, shape [n].
        stars: Ratings in stars, shape [n].
        timestamps: Unix seconds, shape [n].
        user_features: Values by feature name, one for each id of `user_ids`, empty if missing.
        name: Name of the data set.
        source: Description of where it came from.
    """
    order = id_order(user_ids)
    row_of_code = np.empty(len(order), np.int32)
    row_of_code[order] = np.arange(len(order), dtype=np.int32)
    table = RatingsTable(
        user_rows=row_of_code[user_codes],
        movie_rows=movie_rows.astype(np.int32, copy=False),
        stars=stars,
        timestamps=timestamps,
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
    return _latest_only(table)


def _known_genres(genres: Sequence[str]) -> tuple[str, ...]:
    stripped = (genre.strip() for genre in genres)
    one_spelling = ("Children" if genre == "Children's" else genre for genre in stripped)
    return tuple(dict.fromkeys(genre for genre in one_spelling if genre not in _NO_GENRE))


def _latest_only(table: RatingsTable) -> RatingsTable:
    pairs = table.user_rows.astype(np.int64) * table.num_movies + table.movie_rows
    in_order = np.sort(pairs)
    if not (in_order[1:] == in_order[:-1]).any():
        return table
    # Stable: of equal timestamps the later row comes last.
    order = np.lexsort((table.timestamps, pairs))
    is_latest = np.append(pairs[order][1:] != pairs[order][:-1], True)
    kept = np.sort(order[is_latest])
    return dataclasses.replace(table.take(kept), num_replaced=len(pairs) - len(kept))
