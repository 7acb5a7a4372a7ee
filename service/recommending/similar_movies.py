"""Item-to-item similarity: cosine between candidate embeddings, centred on their mean.

Adding one vector to all candidates changes no query's order by dot product, so the position relative to the
origin carries no information, only differences do. Hence the mean is subtracted before the cosine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.recommending.candidate_search import Found, best_first

_SLICE = 100_000


class SimilarMovies:
    """Nearest neighbours among the candidates of one index.

    Args:
        index: The candidates.
        of_bundle: Of the same candidates but for those beside the index, whose mean is kept.
    """

    def __init__(self, index: CandidateIndex, of_bundle: SimilarMovies | None = None) -> None:
        self._index = index
        self._centre: NDArray[np.float32]
        self._distances: NDArray[np.float32]
        if of_bundle is not None:
            beside = np.arange(len(of_bundle._distances), len(index), dtype=np.int32)
            self._centre = of_bundle._centre
            offsets = np.linalg.norm(index.embeddings(beside) - self._centre, axis=1)
            self._distances = np.concatenate([of_bundle._distances, offsets])
            return
        rows = np.arange(len(index), dtype=np.int32)
        # In slices: the embeddings are mapped and shared by all workers, a full copy would be private.
        slices = [rows[start : start + _SLICE] for start in range(0, len(rows), _SLICE)]
        sums = [index.embeddings(each).sum(axis=0, dtype=np.float64) for each in slices]
        self._centre = (np.sum(sums, axis=0) / len(rows)).astype(np.float32)
        self._distances = np.concatenate(
            [np.linalg.norm(index.embeddings(each) - self._centre, axis=1) for each in slices]
        )

    def of(self, row: int, k: int) -> Found:
        """Return the k movies most similar to one, without itself.

        Args:
            row: Candidate row of the movie.
            k: Most movies to return.

        Returns:
            Candidate rows and cosines, from -1 to 1; 0 for a candidate at the mean itself.
        """
        [embedding] = self._index.embeddings(np.array([row], np.int32))
        offset = embedding - self._centre
        products = self._index.score(offset) - self._centre @ offset
        lengths = self._distances * self._distances[row]
        cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
        others = np.delete(np.arange(len(cosines), dtype=np.int32), row)
        return best_first(others, np.clip(cosines, -1, 1)[others], k)
