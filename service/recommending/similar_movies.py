"""Which movies are like one of them: near as seen from the centre of all candidates.

A query orders candidates by their dot products with it, and adding one vector to all candidates changes no
query's order: where they lie from the origin means nothing, where they lie from each other does. So two
movies are as similar as the angle between them, seen from the mean of all, is small.
"""

from __future__ import annotations

import numpy as np

from service.bundle.candidate_index import CandidateIndex
from service.recommending.candidate_search import Found, best_first

_SLICE = 100_000


class SimilarMovies:
    """Compares the candidates of one index.

    Args:
        index: The candidates.
    """

    def __init__(self, index: CandidateIndex) -> None:
        self._index = index
        rows = np.arange(len(index), dtype=np.int32)
        # In slices: the embeddings are mapped for all workers together, a copy of them would be this one's.
        slices = [rows[start : start + _SLICE] for start in range(0, len(rows), _SLICE)]
        sums = [index.embeddings(each).sum(axis=0, dtype=np.float64) for each in slices]
        self._centre = (np.sum(sums, axis=0) / len(rows)).astype(np.float32)
        self._distances = np.concatenate(
            [np.linalg.norm(index.embeddings(each) - self._centre, axis=1) for each in slices]
        )

    def of(self, row: int, k: int) -> Found:
        """The k movies most like one of them, itself left out.

        Args:
            row: Its candidate row.
            k: Most movies wanted.

        Returns:
            Candidate rows and their cosines with it, from -1 to 1; 0 for what lies in the centre itself.
        """
        [embedding] = self._index.embeddings(np.array([row], np.int32))
        offset = embedding - self._centre
        products = self._index.score(offset) - self._centre @ offset
        lengths = self._distances * self._distances[row]
        cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
        others = np.delete(np.arange(len(cosines), dtype=np.int32), row)
        return best_first(others, np.clip(cosines, -1, 1)[others], k)
