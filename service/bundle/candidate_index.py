"""`candidates.npy`, float32 `[num_candidates, embedding_dimension]`, and an index over the same rows.

A score is the dot product of a row with a query embedding; the last column is the candidate's bias, for which
queries have a 1. `recommending.candidate_search` decides when the
index is used.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle.annoy_index import INDEX_FILE, AnnoyIndex
from service.bundle.appended_rows import AppendedRows
from service.bundle.array_files import open_array, write_array
from service.bundle.best_candidates import BestCandidates
from service.bundle.faiss_index import FAISS_FILE, FaissIndex
from service.bundle.index_description import Backend, IndexDescription
from service.bundle.usearch_index import USEARCH_FILE, UsearchIndex
from service.errors import BundleInconsistent

CANDIDATES_FILE = "candidates.npy"
FILES = (CANDIDATES_FILE,)
INDEX_FILES: dict[Backend, str] = {"annoy": INDEX_FILE, "usearch": USEARCH_FILE, "faiss": FAISS_FILE}
"""By backend the file that the manifest must list as well; `exact` has none."""

AnyIndex = AnnoyIndex | UsearchIndex | FaissIndex

_INDEXES: dict[Backend, type[AnyIndex]] = {
    "annoy": AnnoyIndex,
    "usearch": UsearchIndex,
    "faiss": FaissIndex,
}


def open_candidates(
    directory: Path, description: IndexDescription, embedding_dimension: int
) -> NDArray[np.float32]:
    """Map the embeddings alone, float32 `[num_candidates, embedding_dimension]`.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleInconsistent: It has not the shape that the manifest says.
    """
    path = directory / CANDIDATES_FILE
    candidates = open_array(path, np.float32, dimensions=2)
    if candidates.shape != (description.candidates, embedding_dimension):
        raise BundleInconsistent(
            f"{path}: expected {description.candidates} candidates of dimension {embedding_dimension}, "
            f"got {candidates.shape}; export again"
        )
    return candidates


class CandidateIndex:
    """The candidates' embeddings and, to find the best of them, an index.

    Args:
        candidates: float32 `[num_candidates, embedding_dimension]`.
        index: Over the same rows, or all but those appended; None for a bundle without one.
        description: How long to search it.
    """

    def __init__(
        self,
        candidates: NDArray[np.float32] | AppendedRows,
        index: AnyIndex | None,
        description: IndexDescription,
    ) -> None:
        self._candidates = candidates
        self._index = index
        self._description = description

    @staticmethod
    def write_candidates(directory: Path, embeddings: NDArray[np.float32]) -> None:
        """Write the embeddings; the index is written by its own `build`."""
        write_array(directory / CANDIDATES_FILE, embeddings, np.float32)

    @classmethod
    def open(cls, directory: Path, description: IndexDescription, embedding_dimension: int) -> CandidateIndex:
        """Map the files.

        Args:
            directory: The bundle.
            description: Its manifest's `index`.
            embedding_dimension: Its manifest's.

        Raises:
            BundleUnreadable: A file is missing or may not be read.
            BundleInconsistent: Files and manifest disagree in kind, counts, dimensions or vectors.
            BundleIncompatible: The index needs a package that is not installed.
        """
        candidates = open_candidates(directory, description, embedding_dimension)
        kind = _INDEXES.get(description.backend)
        if kind is None:
            return cls(candidates, None, description)
        index = kind.open(directory, description, embedding_dimension)
        # Each library would load an index of other candidates just as well, and answer nonsense.
        for row in (0, len(candidates) - 1):
            if not index.holds(row, candidates[row]):
                path = directory / INDEX_FILES[description.backend]
                raise BundleInconsistent(f"{path}: row {row} is not the candidate's vector; export again")
        return cls(candidates, index, description)

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self._candidates)

    @property
    def num_beside(self) -> int:
        """Candidates that are not in the index: the last rows, which `nearest` returns with any others."""
        return len(self._candidates.further) if isinstance(self._candidates, AppendedRows) else 0

    def with_beside(self, embeddings: NDArray[np.float32]) -> CandidateIndex:
        """The same candidates, and float32 `[n, embedding_dimension]` others after them."""
        assert not isinstance(self._candidates, AppendedRows)  # noqa: S101 of a bundle
        return CandidateIndex(AppendedRows(self._candidates, embeddings), self._index, self._description)

    @cached_property
    def best(self) -> BestCandidates:
        """Finds the best of all candidates, or of some, without the index."""
        return BestCandidates(self._candidates)

    @property
    def is_searchable(self) -> bool:
        """Whether there is an index."""
        return self._index is not None

    def nearest(
        self, embedding: NDArray[np.float32], num_rows: int, *, deep: bool = False
    ) -> NDArray[np.int32] | None:
        """About the best candidates, as the index finds them.

        Args:
            embedding: float32 `[embedding_dimension]`, a query.
            num_rows: How many.
            deep: Whether those after the first few dozen matter too, which takes longer.

        Returns:
            int32, ascending, more than wanted where the index is not sure of their order; None where there is
            no index, or so many are wanted that it would visit most of
            them.
        """
        search_k = self._description.search_k_for(num_rows, deep=deep)
        if self._index is None or search_k is None:
            return None
        nearest = self._index.nearest(embedding, num_rows, search_k)
        if not isinstance(self._candidates, AppendedRows):
            return nearest
        beside = np.arange(len(self._candidates.first), len(self._candidates), dtype=np.int32)
        return np.concatenate([nearest, beside])

    def score(
        self, embedding: NDArray[np.float32], rows: NDArray[np.int32] | None = None
    ) -> NDArray[np.float32]:
        """Exact scores float32 `[n]` of int32 `[n]` rows, or of every candidate.

        The score of a row is the same whichever others are wanted, bit for bit: each is a dot product of its
        own, which a product of matrices would not be.
        """
        if rows is not None:
            candidates = self._candidates[rows]
        elif isinstance(self._candidates, AppendedRows):
            parts = self._candidates.first, self._candidates.further
            return np.concatenate([np.vecdot(part, embedding) for part in parts])
        else:
            candidates = self._candidates
        scores: NDArray[np.float32] = np.vecdot(candidates, embedding)
        return scores

    def embeddings(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 `[n, embedding_dimension]`, candidates by row."""
        return self._candidates[rows]
