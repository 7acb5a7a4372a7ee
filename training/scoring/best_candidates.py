"""The best candidates of many queries at once: one product of matrices, then exact scores of the few best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_UNIT_ROUNDOFF = 2.0**-24
"""Of float32."""

_MOST_GATHERED = 2**24
"""Elements of candidates that are gathered at once for exact scores; where many scores are equal, a few
queries want most of the catalogue."""

_SMALLEST_SAMPLE, _LARGEST_STEP = 2_048, 16
"""Candidates of a sample, which is every so-manieth one at most."""


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
        slack = np.float32(self._slack) * np.linalg.norm(queries, axis=1)
        counts, rows = _not_below(scores, _least_of_best(scores, k), slack)
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


def _least_of_best(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """A score that at least k of each query's reach, hardly more of them than must, float32 `[B]`.

    Of a large catalogue it is the score of a sample that is low enough but for a chance in a thousand. Where
    it is not, and of a small catalogue, it is the k-th best.
    """
    step = min(_LARGEST_STEP, scores.shape[1] // _SMALLEST_SAMPLE)
    if step <= 1:
        return _kth_best(scores, k)
    expected = k / step  # in the sample, with a standard deviation of its root
    least = _kth_best(scores[:, ::step], math.ceil(expected + 3 * math.sqrt(expected) + 1))
    is_too_high = np.count_nonzero(scores >= least[:, None], axis=1) < k
    if is_too_high.any():
        least[is_too_high] = _kth_best(scores[is_too_high], k)
    return least


def _kth_best(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """The k-th best score of each query, or its lowest where there are fewer."""
    last = max(0, scores.shape[1] - k)
    best: NDArray[np.float32] = np.partition(scores, last, axis=1)[:, last]
    return best


def _not_below(
    scores: NDArray[np.float32], least: NDArray[np.float32], slack: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """How many candidates of each query score at least `least` without `slack`, and their rising rows."""
    # What is excluded is minus infinity, and so is the last place where fewer are left.
    floor = np.maximum(least - slack, np.finfo(np.float32).min)
    places = np.flatnonzero(scores >= floor[:, None])
    of_query = places // scores.shape[1]
    rows = (places - of_query * scores.shape[1]).astype(np.int32)
    return np.bincount(of_query, minlength=len(scores)), rows
