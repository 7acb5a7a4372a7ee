"""Exact answers by brute force: what an index is measured by, and what golden requests hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle.tolerances import FLOAT32_STEP
from training.export.sampled_queries import SampledQueries

_BYTES_AT_ONCE = 2**25
_STEPS = 8
"""Steps of float32 by which two sums of the same products may differ, of the product of both lengths."""


def exact_top_k(
    embeddings: NDArray[np.float32], query: NDArray[np.float32], seen: NDArray[np.int32], k: int
) -> NDArray[np.int64]:
    """Candidate rows of the k best by dot product, best first, ties by row, `seen` left out."""
    scores = embeddings @ query
    scores[seen] = -np.inf
    best: NDArray[np.int64] = np.argsort(-scores, kind="stable")[: min(k, len(scores) - len(seen))]
    return best


class ExactAnswers:
    """How good the best unseen candidates of queries are, computed once for all depths.

    Args:
        embeddings: float32 `[num_candidates, D]`.
        queries: The queries.
        depths: Of answers, such as 10 and 100.
    """

    def __init__(
        self, embeddings: NDArray[np.float32], queries: SampledQueries, depths: Sequence[int]
    ) -> None:
        self.queries = queries
        self._embeddings = embeddings
        self._is_seen = np.zeros(len(embeddings), np.bool_)
        left = len(embeddings) - np.array([len(seen) for seen in queries.seen], np.int64)
        self._lengths = {k: np.minimum(k, left) for k in depths}
        self._least = {k: np.full(len(queries), np.nan, np.float32) for k in depths}
        longest = float(np.sqrt(np.max(np.vecdot(embeddings, embeddings))))
        slack = _STEPS * FLOAT32_STEP * longest * np.linalg.norm(queries.embeddings, axis=1)
        deepest = min(max(depths), len(embeddings))
        at_once = max(1, _BYTES_AT_ONCE // embeddings[:, 0].nbytes)
        for start in range(0, len(queries), at_once):
            block = slice(start, start + at_once)
            scores = queries.embeddings[block] @ embeddings.T
            for place, seen in enumerate(queries.seen[block]):
                scores[place, seen] = -np.inf
            scores.partition(len(embeddings) - deepest, axis=1)
            best = np.sort(scores[:, len(embeddings) - deepest :], axis=1)
            for k in depths:
                last = deepest - np.clip(self._lengths[k][block], 1, deepest)
                self._least[k][block] = np.take_along_axis(best, last[:, None], axis=1)[:, 0] - slack[block]

    def share(self, place: int, found: NDArray[np.int32] | None, k: int) -> float:
        """Share of an exact answer's length that an index makes with candidates as good as the exact ones.

        Args:
            place: Of the query.
            found: Candidate rows, int32, the seen among them; None where the service would not ask the index.
            k: Items of the answer.

        Returns:
            NaN where nothing is left to recommend; 1 where the service would score every candidate.
        """
        length, seen = int(self._lengths[k][place]), self.queries.seen[place]
        if length <= 0:
            return float("nan")
        if found is None:
            return 1.0
        self._is_seen[seen] = True
        kept = found[~self._is_seen[found]]
        self._is_seen[seen] = False
        if len(kept) < length:  # with too few left the service scores every candidate
            return 1.0
        scores = self._embeddings[kept] @ self.queries.embeddings[place]
        # By score, not by row: of equals any will do.
        return min(1.0, float(np.count_nonzero(scores >= self._least[k][place])) / length)
