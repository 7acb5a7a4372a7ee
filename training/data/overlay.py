"""Rows of a store of feedback laid over those of files, as the service does with a bundle's histories."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from training.data.table import MovieTable, RatingsTable, UserFeature, id_order

NEVER = np.iinfo(np.int64).min
"""In place of a time, for what did not happen."""


@dataclass(frozen=True, eq=False)
class StoredPairs:
    """The store's ratings, watches and removals by column, one row for each user and movie.

    Attributes:
        user_ids, movie_ids: External ids.
        stars: float32, NaN without.
        rated_at, seen_at, removed_at: Unix seconds; int64, `NEVER` for never.
    """

    user_ids: Sequence[str]
    movie_ids: Sequence[str]
    stars: NDArray[np.float32]
    rated_at: NDArray[np.int64]
    seen_at: NDArray[np.int64]
    removed_at: NDArray[np.int64]


def overlaid(table: RatingsTable, kept: NDArray[np.bool_], pairs: StoredPairs) -> tuple[RatingsTable, int]:
    """Lay pairs over rows: of each user and movie the later one counts, and what was removed is gone.

    Args:
        table: The rows of files.
        kept: Which of them there are; bool, shape [num_ratings].
        pairs: Of the store.

    Returns:
        The ratings, and how many of the pairs are among them.
    """
    user_codes, user_ids = _codes(table.user_ids, pairs.user_ids)
    is_seen = pairs.seen_at != NEVER
    movie_codes, movie_ids = _codes(table.movies.movie_ids, pairs.movie_ids)
    # The row of the table that each pair is about, -1 for none.
    rows = np.flatnonzero(kept)
    keys = table.user_rows[rows].astype(np.int64) * len(movie_ids) + table.movie_rows[rows]
    order = np.argsort(keys, kind="stable")
    wanted = user_codes.astype(np.int64) * len(movie_ids) + movie_codes
    places = np.searchsorted(keys[order], wanted)
    found = np.minimum(places, max(len(keys) - 1, 0))
    former = np.full(len(wanted), -1, np.int64)
    if len(keys):
        matches = keys[order][found] == wanted
        former[matches] = rows[order][found[matches]]
    former_at = np.where(former >= 0, table.timestamps[former] if len(table) else 0, NO_TIMESTAMP)
    is_removed = (former >= 0) & (pairs.removed_at != NEVER) & (former_at <= pairs.removed_at)
    replaces = (former >= 0) & ~is_removed & is_seen & (pairs.seen_at >= former_at)
    is_new = is_seen & ((former < 0) | is_removed)
    kept = kept.copy()
    kept[former[is_removed | replaces]] = False

    stars = _on_scale(pairs.stars, table.rating_scale)
    # A watch leaves the stars as they are; a rating that is older than the file's is superseded.
    older = replaces & ((pairs.rated_at == NEVER) | (pairs.rated_at < former_at))
    stars[older] = table.stars[former[older]]
    weights = np.ones(len(stars), np.float32)
    weights[replaces] = table.weights[former[replaces]]
    taken = np.flatnonzero(is_new | replaces)
    # Oldest first, as files are that have no times.
    taken = taken[np.argsort(pairs.seen_at[taken], kind="stable")]
    times = pairs.seen_at if table.has_times else np.full(len(stars), NO_TIMESTAMP, np.int64)
    merged = dataclasses.replace(
        table,
        source=f"{table.source}, and the store of feedback",
        user_rows=np.concatenate([table.user_rows[kept], user_codes[taken]]),
        movie_rows=np.concatenate([table.movie_rows[kept], movie_codes[taken]]),
        stars=np.concatenate([table.stars[kept], stars[taken]]),
        weights=np.concatenate([table.weights[kept], weights[taken]]),
        timestamps=np.concatenate([table.timestamps[kept], times[taken]]),
    )
    in_use = np.zeros(len(movie_ids), np.bool_)
    in_use[: table.num_movies] = True
    in_use[movie_codes[taken]] = True
    return _in_order(merged, user_ids, movie_ids, in_use), len(taken)


def _codes(known: Sequence[str], given: Iterable[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Positions of ids among the known ones, to which unknown ones are added."""
    code_of = {one: code for code, one in enumerate(known)}
    codes = [code_of.setdefault(one, len(code_of)) for one in given]
    return np.array(codes, np.int32), list(code_of)


def _on_scale(stars: NDArray[np.float32], scale: tuple[float, float] | None) -> NDArray[np.float32]:
    """Stars within the files' scale, as the service takes them; NaN where the files have none."""
    if scale is None:
        return np.full(len(stars), np.nan, np.float32)
    return np.clip(stars, np.float32(scale[0]), np.float32(scale[1]))


def _in_order(
    table: RatingsTable, user_ids: Sequence[str], movie_ids: Sequence[str], in_use: NDArray[np.bool_]
) -> RatingsTable:
    """The table with its rows' users and the movies of a mask, both in the order of every vocabulary.

    Args:
        table: Its rows are positions in the ids that follow; those that are new come after its own.
        user_ids: External ids.
        movie_ids: External ids; a new one is the title too.
        in_use: Of `movie_ids`.
    """
    rated = np.unique(table.user_rows)
    users = rated[id_order([user_ids[row] for row in rated.tolist()])]
    movies = np.flatnonzero(in_use)
    movies = movies[id_order([movie_ids[row] for row in movies.tolist()])]
    return dataclasses.replace(
        table,
        user_rows=_positions(users, len(user_ids))[table.user_rows],
        movie_rows=_positions(movies, len(movie_ids))[table.movie_rows],
        user_ids=tuple(user_ids[row] for row in users),
        movies=_movies(table.movies, movies.tolist(), movie_ids),
        user_features={name: _feature(each, users) for name, each in table.user_features.items()},
    )


def _positions(rows: NDArray[Any], count: int) -> NDArray[np.int32]:
    positions = np.full(count, -1, np.int32)
    positions[rows] = np.arange(len(rows), dtype=np.int32)
    return positions


def _movies(known: MovieTable, rows: Sequence[int], movie_ids: Sequence[str]) -> MovieTable:
    count = len(known)
    return MovieTable(
        movie_ids=tuple(movie_ids[row] for row in rows),
        titles=tuple(known.titles[row] if row < count else movie_ids[row] for row in rows),
        genres=tuple(known.genres[row] if row < count else () for row in rows),
        years=np.array([known.years[row] if row < count else 0 for row in rows], np.int32),
        features={
            name: tuple(values[row] if row < count else () for row in rows)
            for name, values in known.features.items()
        },
    )


def _feature(feature: UserFeature, users: NDArray[Any]) -> UserFeature:
    """The feature of some users: its values are only theirs, those of the store have none."""
    codes = [int(feature.codes[row]) if row < len(feature.codes) else -1 for row in users.tolist()]
    return UserFeature.of(["" if code < 0 else feature.vocabulary[code] for code in codes])
