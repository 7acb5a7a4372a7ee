"""Exploration: a share of a list's places goes to movies that few users have rated yet.

A model that has seen next to no ratings of a movie gives it a low bias, so it never surfaces, and so never
gets any. With `explore` e place p of a list, from 1, is explored where floor(p e + f) exceeds
floor((p - 1) e + f), f being a number from 0 to 1 that is fixed for the user. It gets the best cold movie not
in the list yet, by score without the bias: the rest of the score, from content and the few ratings there are,
says whom it is for.

Nothing is drawn at random and nothing depends on the clock: the same query gets the same list, another user
other places and other cold movies. What stands at a place does not depend on the page, so pages fit together.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.recommending.candidate_search import CandidateSearch
from service.recommending.filters import Allowed, Mask
from service.recommending.queries import COLD_RATINGS
from service.recommending.ranking import RankedList
from service.recommending.stage_times import StageTimes


class Exploration:
    """Puts cold movies of one catalogue into lists.

    Args:
        catalogue: Says how many users rated each movie.
        search: Finds the best of the cold ones.
    """

    def __init__(self, catalogue: Catalogue, search: CandidateSearch) -> None:
        self._search = search
        self.is_cold: Mask = np.array(catalogue.num_ratings, np.int64) < COLD_RATINGS

    def best(
        self, embedding: NDArray[np.float32], allowed: Allowed, depth: int, times: StageTimes
    ) -> NDArray[np.int32]:
        """The best cold movies, int32, best first; those of a lesser depth are the first of a greater one.

        Every one is scored, whatever finds the others: an index would find them among all.

        Args:
            embedding: float32 `[embedding_dimension]`, a query.
            allowed: Which may be returned.
            depth: How many.
            times: Takes the time of `index`.
        """
        without_bias = embedding.copy()
        without_bias[-1] = 0
        cold = Allowed(len(self.is_cold), allowed.mask & self.is_cold)
        rows, _ = self._search.best(without_bias, cold, depth, times, exactly=True)
        return rows


def phase_of(user_id: str | None, seen: NDArray[np.int32]) -> float:
    """A number from 0 to 1 that is fixed for a user, or for what a user without an id has seen."""
    return crc32(seen.tobytes() if user_id is None else user_id.encode()) / 2**32


def explored_places(share: float, depth: int, phase: float = 0.0) -> NDArray[np.bool_]:
    """Which of the first `depth` places are explored, bool; as many as the share says, or one more."""
    # 0.29 * 100 is a little less than 29.
    explored: NDArray[np.bool_] = np.diff(np.floor(share * np.arange(depth + 1) + phase + 1e-9)) > 0
    return explored


def insert(ranked: RankedList, cold: NDArray[np.int32], is_explored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Merge cold movies into a list; where either of the two ends, the other goes on.

    Args:
        ranked: The list without exploration, at least as long as `is_explored` where there are so many;
            afterwards it has the merged rows, with keys that still never rise, and neither stars nor the
            scores of what was inserted.
        cold: int32, the best cold movies, best first, as many likewise.
        is_explored: Of each place, bool.

    Returns:
        Which of the merged rows were inserted, bool.
    """
    taken: set[int] = set()
    lists = _untaken(ranked.rows, taken), _untaken(cold, taken)
    merged: list[tuple[int, bool]] = []
    for cold_first in is_explored.tolist():
        for from_cold in (cold_first, not cold_first):
            place = next(lists[from_cold], None)
            if place is not None:
                merged.append((place, from_cold))
                break
    inserted = np.array([from_cold for _, from_cold in merged], np.bool_)
    places = np.array([place for place, _ in merged], np.int64)
    rows = np.empty(len(merged), np.int32)
    rows[inserted], rows[~inserted] = cold[places[inserted]], ranked.rows[places[~inserted]]
    scores = np.full(len(merged), np.nan, np.float32)
    scores[~inserted] = ranked.scores[places[~inserted]]
    # An inserted movie has the key of the one before it, or at the very beginning that of the first one.
    last = np.maximum.accumulate(np.where(inserted, -1, places))
    keys = ranked.keys[np.maximum(last, 0)] if len(ranked.keys) else np.zeros(len(merged))
    ranked.rows, ranked.scores, ranked.keys, ranked.stars = rows, scores, keys, None
    return inserted


def _untaken(rows: NDArray[np.int32], taken: set[int]) -> Iterator[int]:
    """The places of rows that are not taken yet, which takes them."""
    for place, row in enumerate(rows.tolist()):
        if row not in taken:
            taken.add(row)
            yield place
