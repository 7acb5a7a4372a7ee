"""From a query embedding to the best candidates: the only importer of Annoy.

Annoy finds rows by angle between augmented vectors (`bundle.INDEX_AUGMENTATION`), which orders as the dot
product does but misses a few; the rows found are then scored exactly. Where so many are asked for that Annoy
would look at most of its leaves anyway, or where it returns too few, every candidate is scored instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from service.bundle import CANDIDATES_FILE, INDEX_AUGMENTATION, INDEX_FILE
from service.errors import BundleInconsistent, BundleUnreadable
from service.files import load_array
from service.manifest import Manifest, index_search_k

Found = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Candidate rows int32 `[n]` and their scores float32 `[n]`, best first, equals by rising row."""

_EXPECTED_INDEX = {"backend": "annoy", "metric": "angular", "augmentation": INDEX_AUGMENTATION}


class CandidateIndex:
    """`candidates.npy` and `candidates.ann`, both memory-mapped.

    Args:
        bundle_directory: The bundle.
        manifest: Its manifest.

    Raises:
        BundleUnreadable: A file is missing or may not be read.
        BundleInconsistent: Files and manifest disagree in kind, counts, dimensions or vectors.
    """

    def __init__(self, bundle_directory: Path, manifest: Manifest) -> None:
        self._measured = manifest.index
        path = bundle_directory / CANDIDATES_FILE
        if missing := sorted({*_EXPECTED_INDEX, "trees", "search_k", "candidates"} - manifest.index.keys()):
            raise BundleInconsistent(f"{path}: the manifest's index lacks {missing}; export again")
        self._candidates: NDArray[np.float32] = load_array(path, np.float32, dimensions=2)
        if self._candidates.shape != (manifest.index["candidates"], manifest.embedding_dimension):
            raise BundleInconsistent(
                f"{path}: expected {manifest.index['candidates']} candidates of dimension "
                f"{manifest.embedding_dimension}, got {self._candidates.shape}; export again"
            )
        self._annoy = self._load_annoy(bundle_directory / INDEX_FILE)

    def _load_annoy(self, path: Path) -> Any:
        for name, expected in _EXPECTED_INDEX.items():
            if self._measured[name] != expected:
                raise BundleInconsistent(
                    f"{path}: expected index {name} {expected!r}, the manifest says "
                    f"{self._measured[name]!r}; export again"
                )
        dimension = self._candidates.shape[1]
        annoy = AnnoyIndex(dimension + 1, "angular")
        try:
            annoy.load(str(path))
        except OSError as error:
            raise BundleUnreadable(f"{path}: Annoy cannot load it ({error}); copy it again") from error
        counts = {"candidates": annoy.get_n_items(), "trees": annoy.get_n_trees()}
        expected_counts = {name: self._measured[name] for name in counts}
        if counts != expected_counts:
            raise BundleInconsistent(f"{path}: expected {expected_counts}, got {counts}; export again")
        # Annoy would load an index of other candidates just as well, and answer nonsense.
        for row in (0, len(self) - 1):
            if not np.array_equal(annoy.get_item_vector(row)[:dimension], self._candidates[row]):
                raise BundleInconsistent(
                    f"{path}: row {row} is not the vector in {CANDIDATES_FILE}; export again"
                )
        return annoy

    def __len__(self) -> int:
        """Number of candidates."""
        return len(self._candidates)

    def search(self, embedding: NDArray[np.float32], k: int, excluded_rows: NDArray[np.int32]) -> Found:
        """The best candidates that are not excluded, found by Annoy and scored exactly.

        Args:
            embedding: float32 `[embedding_dimension]`, a query.
            k: Most candidates wanted.
            excluded_rows: int32, candidate rows never to return, in any order.

        Returns:
            Exactly k candidates, or all that are left where that is fewer.
        """
        wanted = k + len(excluded_rows)
        search_k = index_search_k(self._measured, wanted)
        if search_k is None:
            return self.search_exactly(embedding, k, excluded_rows)
        nearest = self._annoy.get_nns_by_vector([*embedding.tolist(), 0.0], wanted, search_k)
        rows = np.setdiff1d(np.array(nearest, np.int32), excluded_rows)
        if len(rows) < k:
            return self.search_exactly(embedding, k, excluded_rows)
        return _best(rows, self._candidates[rows] @ embedding, k)

    def search_exactly(
        self, embedding: NDArray[np.float32], k: int, excluded_rows: NDArray[np.int32]
    ) -> Found:
        """As `search`, by scoring every candidate."""
        allowed = np.ones(len(self), np.bool_)
        allowed[excluded_rows] = False
        rows = np.flatnonzero(allowed).astype(np.int32)
        return _best(rows, (self._candidates @ embedding)[rows], k)


def _best(rows: NDArray[np.int32], scores: NDArray[np.float32], k: int) -> Found:
    """The k best of rows given in rising order, so that a stable sort leaves equals by row."""
    if k < len(rows):
        # Whatever equals the k-th best stays in, or which equals win would be left to the partition.
        kept = scores >= np.partition(scores, len(scores) - k)[len(scores) - k]
        rows, scores = rows[kept], scores[kept]
    order = np.argsort(-scores, kind="stable")[:k]
    return rows[order], scores[order]
