"""Lists of recommendations of many users of a bundle, as the service answers without a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle.best_candidates import BestCandidates
from service.bundle.query_tower import QueryTower
from training.scoring.scored_bundle import ScoredBundle

_MOVIES_PER_CALL = 2**14
"""Of all histories of a call of the model: what it computes on the way then stays near a core. In calls of 63
to 191 users of 105 movies a user takes 30 us, of 511 users 49."""

_USERS_PER_CALL = 511
"""With what the tower adds a multiple of its batches."""

_SCORES_AT_ONCE = 2**17
_USERS_AT_ONCE = 16
"""At least, however many candidates: of a million 64 MiB of scores."""


@dataclass(frozen=True, eq=False)
class ScoredLists:
    """Lists of users, one after another.

    Attributes:
        user_rows: int64 `[n]`.
        lengths: int64 `[n]`, movies of each list.
        rows: int32 `[sum of lengths]`, candidates, best first.
        scores: float32 `[sum of lengths]`.
        stars: float64 `[sum of lengths]`, predicted ratings; NaN where the bundle predicts none.
    """

    user_rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    stars: NDArray[np.float64]


class ListScorer:
    """Scores users of one bundle; safe to be used by several threads.

    Args:
        bundle: Where users, candidates and model are.
        k: Most movies of a list.
        exclude_seen: Whether to leave out what is in the user's history.
        threads: How many threads score at the same time.

    Raises:
        BundleInconsistent: The model cannot be loaded.
    """

    def __init__(self, bundle: ScoredBundle, *, k: int, exclude_seen: bool = True, threads: int = 1) -> None:
        self._bundle = bundle
        self._tower = None
        if bundle.states is None:
            # The model runs as one operation, on one of the threads between operations.
            self._tower = QueryTower.open(bundle.directory, intra_op_threads=1, inter_op_threads=threads)
        self._k = k
        self._longest_excluded = None if exclude_seen else 0
        self._best = BestCandidates(bundle.candidates)
        self._block = max(_USERS_AT_ONCE, _SCORES_AT_ONCE // len(bundle.candidates))

    def score(self, user_rows: NDArray[np.int64]) -> ScoredLists:
        """The lists of at least one user, which are the same whichever others are scored with them."""
        lengths = self._bundle.histories.lengths(user_rows, self._bundle.manifest.max_history)
        parts = [part for call in _calls(lengths) for part in self._score_call(user_rows[call])]
        return ScoredLists(
            user_rows,
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.stars for part in parts]),
        )

    def _score_call(self, user_rows: NDArray[np.int64]) -> Iterator[ScoredLists]:
        bundle = self._bundle
        if self._tower is not None:
            states = self._tower.read_stored(bundle.histories, user_rows, bundle.manifest.max_history)
        else:
            assert bundle.states is not None  # noqa: S101 or there is a tower
            states = bundle.states[user_rows]
        for start in range(0, len(user_rows), self._block):
            block = slice(start, start + self._block)
            yield self._score_block(user_rows[block], states[block])

    def _score_block(self, user_rows: NDArray[np.int64], states: NDArray[np.float32]) -> ScoredLists:
        bundle = self._bundle
        queries = np.ascontiguousarray(states[:, : bundle.manifest.embedding_dimension])
        num_seen, seen = bundle.histories.of_users(user_rows, self._longest_excluded)
        found = self._best.find(queries, num_seen, seen.rows, self._k)
        if bundle.rating_head is None:
            stars = np.full(len(found.rows), np.nan)
        else:
            stars = bundle.rating_head.predict_joined(states, found.lengths, found.rows)
        return ScoredLists(user_rows, found.lengths, found.rows, found.scores, stars)


def _calls(lengths: NDArray[np.int64]) -> Iterator[slice]:
    """Users of one call of the model after another, by the lengths of their histories."""
    start, before, ends = 0, 0, np.cumsum(lengths)
    while start < len(lengths):
        fitting = int(np.searchsorted(ends, before + _MOVIES_PER_CALL, side="right"))
        end = min(max(fitting, start + 1), start + _USERS_PER_CALL)
        yield slice(start, end)
        start, before = end, int(ends[end - 1])
