"""The best candidates of many queries at once: one product of matrices, then exact scores of the few best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle.appended_rows import AppendedRows

_UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""

_MOST_COPIED = 2**22
"""Elements of candidates up to which their transpose is copied: a product with it takes half as long."""

_MOST_GATHERED = 2**24
"""Elements of candidates that are gathered at once for exact scores; where many scores are equal, a few
queries want most of the catalogue."""

_LEAST_COLUMNS, _COLUMNS_PER_PLACE = 256, 4
"""So many columns that two of the k best of a query seldom share one."""


@dataclass(frozen=True, eq=False)
class Found:
    """Candidates of several queries, one query's after another's.

    Attributes:
        lengths: int64 `[B]`, how many of each: as many as asked for, or all that are left.
        rows: int32 `[sum of lengths]`, best first, equals by rising row.
        scores: float32 `[sum of lengths]`.
    """

    lengths: NDArray[np.int64]
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]


class BestCandidates:
    """Finds the candidates of the highest scores among all of them.

    A product of matrices adds up in another order than the dot products that scores are, so it only says
    which candidates may be among the best. Of two ways to add up D products, each differs from the true sum
    by at most D u |x| |y| / (1 - D u) (Higham 2002, Accuracy and Stability of Numerical Algorithms, section
    3.1), u the unit roundoff; whatever lies that close to the last place is scored by a dot product of its
    own, and ordered by that: what is found does not depend on the other queries, to the last bit.

    Args:
        candidates: float32 `[num_candidates, D]`.
    """

    def __init__(self, candidates: NDArray[np.float32] | AppendedRows) -> None:
        self._candidates = candidates
        parts = (
            [candidates.first, candidates.further] if isinstance(candidates, AppendedRows) else [candidates]
        )
        self._columns = [
            np.ascontiguousarray(part.T) if part.size <= _MOST_COPIED else part.T for part in parts
        ]
        longest = float(np.sqrt(max(np.max(np.vecdot(part, part), initial=0) for part in parts)))
        # Of the last place and of each candidate two such sums are compared: four deviations, and a little.
        self._slack = 4.5 * candidates.shape[1] * _UNIT_ROUNDOFF * longest

    def find(
        self,
        queries: NDArray[np.float32],
        num_excluded: NDArray[np.int64],
        excluded: NDArray[np.int32],
        k: int,
    ) -> Found:
        """The best candidates of each query.

        Args:
            queries: float32 `[B, D]`, contiguous.
            num_excluded: int64 `[B]`, how many candidates each excludes.
            excluded: int32 `[sum of num_excluded]`, their rows.
            k: How many of each, at least 1.
        """
        scores = self.about(queries, num_excluded, excluded)
        slack = self.slack(queries)
        # What is excluded is minus infinity, and so is the last place where fewer are left.
        floor = np.maximum(least_of_best(scores, k) - slack, np.finfo(np.float32).min)
        places = np.flatnonzero(scores >= floor[:, None])
        of_query = places // scores.shape[1]
        rows = (places - of_query * scores.shape[1]).astype(np.int32)
        return self.best_of(queries, of_query, rows, k)

    def about(
        self, queries: NDArray[np.float32], num_excluded: NDArray[np.int64], excluded: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Scores of all candidates, which dot products may differ from by a little.

        Args:
            queries: As of `find`.
            num_excluded: As of `find`.
            excluded: As of `find`.

        Returns:
            float32 `[B, num_candidates]`, minus infinity for what is excluded; no more than half of
            `slack` off.
        """
        products = [queries @ columns for columns in self._columns]
        scores = products[0] if len(products) == 1 else np.concatenate(products, axis=1)
        scores[np.repeat(np.arange(len(queries)), num_excluded), excluded] = -np.inf
        return scores

    def slack(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 `[B]`: candidates whose scores of `about` differ by more are in that order."""
        slack: NDArray[np.float32] = np.float32(self._slack) * np.sqrt(np.vecdot(queries, queries))
        return slack

    def best_of(
        self, queries: NDArray[np.float32], of_query: NDArray[np.int64], rows: NDArray[np.int32], k: int
    ) -> Found:
        """The best of some candidates of each query.

        Args:
            queries: float32 `[B, D]`, contiguous.
            of_query: int64 `[n]`, rising: of which query each row is.
            rows: int32 `[n]`, candidates, rising for each query.
            k: How many of each, at least 1.
        """
        at_once = max(1, _MOST_GATHERED // queries.shape[1])
        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), at_once):
            part = slice(start, start + at_once)
            np.vecdot(self._candidates[rows[part]], queries[of_query[part]], out=scores[part])
        # Rows rise, and the sort is stable: equals are left by row.
        order = np.lexsort((-scores, of_query))
        counts = np.bincount(of_query, minlength=len(queries))
        place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = order[place < k]
        return Found(np.minimum(counts, k), rows[kept], scores[kept])


def least_of_best(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """A score that at least k of each query's reach, hardly more of them than must, float32 `[B]`.

    Candidates are dealt to columns, and of the best of each column the k-th best is taken: k candidates reach
    it, and hardly more where the k best lie in different columns. Minus infinity where there are fewer.
    """
    num_candidates = scores.shape[1]
    if k > num_candidates:
        return np.full(len(scores), -np.inf, np.float32)
    columns = max(_LEAST_COLUMNS, _COLUMNS_PER_PLACE * k)
    deals = num_candidates // columns
    if deals < 2:
        return _kth_best(scores, k)
    dealt = deals * columns
    best = scores[:, :dealt].reshape(len(scores), deals, columns).max(axis=1)
    rest = scores[:, dealt:]
    np.maximum(best[:, : rest.shape[1]], rest, out=best[:, : rest.shape[1]])
    return _kth_best(best, k)


def _kth_best(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """The k-th best score of each query."""
    last = scores.shape[1] - k
    best: NDArray[np.float32] = np.partition(scores, last, axis=1)[:, last]
    return best
