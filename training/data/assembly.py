"""From the columns of any source to the one table: vocabularies in order, the latest rating of a pair."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.title_year import year_of
from training.data.table import MovieTable, RatingsTable, UserFeature, id_order

# GroupLens has used all of these for 'we do not know'.
_NO_GENRE = {"", "(no genres listed)", "unknown", "Unknown"}


def assemble_movies(
    movie_ids: Sequence[str], titles: Sequence[str], genres: Sequence[Sequence[str]]
) -> MovieTable:
    """The movie table, in id order, genres in one spelling, years read from the titles.

    Args:
      movie_ids: distinct ids in any order, shape [num_movies].
      titles: of the same movies.
      genres: of the same movies, in any spelling GroupLens uses.
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
    """The ratings table: users in id order, and of each (user, movie) only the latest rating.

    Rows keep their order. Of two ratings with the same timestamp the later row is the latest.

    Args:
      user_ids: distinct ids in any order, shape [num_users].
      user_codes: per rating a position in `user_ids`, shape [n].
      movies: every candidate.
      movie_rows: per rating a position in `movies`, shape [n].
      stars: shape [n].
      timestamps: Unix seconds, shape [n].
      user_features: by name, one value per id of `user_ids`, empty where missing.
      name: of the data.
      source: where it came from, for a person to read.
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
    # Stable, so that of equal timestamps the later row comes last.
    order = np.lexsort((table.timestamps, pairs))
    is_latest = np.append(pairs[order][1:] != pairs[order][:-1], True)
    kept = np.sort(order[is_latest])
    return dataclasses.replace(table.take(kept), num_replaced=len(pairs) - len(kept))
