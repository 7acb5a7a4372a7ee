"""The best candidates of many queries at once: one product of matrices, then exact scores of the few best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""

_MOST_GATHERED = 2**24
"""Elements of candidates that are gathered at once for exact scores; where many scores are equal, a few
queries want most of the catalogue."""


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
    """Finds the candidates of the highest scores, as the service does where it scores every candidate.

    A product of matrices adds up in another order than the service's dot products, so it only says which
    candidates may be among the best. Of two ways to add up D products, each differs from the true sum by at
    most D u |x| |y| / (1 - D u) (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1), u
    the unit roundoff; whatever lies that close to the last place is scored by a dot product of its own, which
    is the service's to the last bit, and ordered by that.

    Args:
        candidates: float32 `[num_candidates, D]`.
    """

    def __init__(self, candidates: NDArray[np.float32]) -> None:
        self._candidates = candidates
        self._columns = np.ascontiguousarray(candidates.T)
        longest = float(np.sqrt(np.max(np.vecdot(candidates, candidates))))
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
        scores = queries @ self._columns
        scores[np.repeat(np.arange(len(queries)), num_excluded), excluded] = -np.inf
        num_candidates = scores.shape[1]
        last = num_candidates - min(k, num_candidates)
        least = np.partition(scores, last, axis=1)[:, last]
        slack = np.float32(self._slack) * np.linalg.norm(queries, axis=1)
        # What is excluded is minus infinity, and so is the last place where fewer are left.
        floor = np.maximum(least - slack, np.finfo(np.float32).min)
        places = np.flatnonzero(scores >= floor[:, None])
        of_query = places // num_candidates
        counts = np.bincount(of_query, minlength=len(queries))
        rows = (places - of_query * num_candidates).astype(np.int32)
        return self._best(queries, counts, rows, k)

    def _best(
        self, queries: NDArray[np.float32], counts: NDArray[np.int64], rows: NDArray[np.int32], k: int
    ) -> Found:
        """Score `counts` rising rows of each query exactly, and keep the best of them."""
        width = int(counts.max(initial=0))
        if len(queries) > 1 and width * len(queries) * queries.shape[1] > _MOST_GATHERED:
            middle = len(queries) // 2
            split = int(counts[:middle].sum())
            first = self._best(queries[:middle], counts[:middle], rows[:split], k)
            second = self._best(queries[middle:], counts[middle:], rows[split:], k)
            return Found(
                np.concatenate([first.lengths, second.lengths]),
                np.concatenate([first.rows, second.rows]),
                np.concatenate([first.scores, second.scores]),
            )
        is_there = np.arange(width) < counts[:, None]
        padded = np.zeros((len(queries), width), np.int32)
        padded[is_there] = rows
        gathered = self._candidates.take(padded.ravel(), axis=0).reshape(*padded.shape, -1)
        exact = np.vecdot(gathered, queries[:, None, :])
        exact[~is_there] = -np.inf
        # Rows rise, so that a stable sort leaves equals by row.
        order = np.argsort(-exact, axis=1, kind="stable")[:, :k]
        lengths = np.minimum(counts, k)
        kept = np.arange(order.shape[1]) < lengths[:, None]
        return Found(
            lengths,
            np.take_along_axis(padded, order, axis=1)[kept],
            np.take_along_axis(exact, order, axis=1)[kept],
        )
