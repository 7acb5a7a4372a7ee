"""Candidate embeddings and the index over them: Annoy, of which this is the only importer, or usearch.

Annoy finds rows by angle between augmented vectors (`bundle.INDEX_AUGMENTATION`), which orders as the dot
product does but misses a few. `candidate_search` decides when it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from service.bundle import CANDIDATES_FILE, INDEX_AUGMENTATION, INDEX_FILE
from service.bundle.files import load_array
from service.bundle.manifest import index_search_k
from service.bundle.usearch_index import UsearchIndex
from service.errors import BundleInconsistent, BundleUnreadable

_EXPECTED_INDEX = {"backend": "annoy", "metric": "angular", "augmentation": INDEX_AUGMENTATION}
_ANNOY_COUNTS = ("trees", "deep_search_k")


class CandidateIndex:
    """`candidates.npy` and the index, `candidates.ann` or `candidates.usearch`, all memory-mapped.

    Args:
        bundle_directory: The bundle.
        measured: Its manifest's `index`.
        embedding_dimension: Its manifest's.

    Raises:
        BundleUnreadable: A file is missing or may not be read.
        BundleInconsistent: Files and manifest disagree in kind, counts, dimensions or vectors.
        BundleIncompatible: The index needs a package that is not installed.
    """

    def __init__(self, bundle_directory: Path, measured: Mapping[str, Any], embedding_dimension: int) -> None:
        self._measured = measured
        path = bundle_directory / CANDIDATES_FILE
        is_annoy = measured.get("backend") != "usearch"
        needed = {*_EXPECTED_INDEX, "search_k", "candidates", *(_ANNOY_COUNTS if is_annoy else ())}
        if missing := sorted(needed - measured.keys()):
            raise BundleInconsistent(f"{path}: the manifest's index lacks {missing}; export again")
        # Not the memory map's own class, which makes every slice of it slower; the memory is the same.
        self._candidates: NDArray[np.float32] = np.asarray(load_array(path, np.float32, dimensions=2))
        if self._candidates.shape != (measured["candidates"], embedding_dimension):
            raise BundleInconsistent(
                f"{path}: expected {measured['candidates']} candidates of dimension "
                f"{embedding_dimension}, got {self._candidates.shape}; export again"
            )
        self._usearch: UsearchIndex | None = None
        if is_annoy:
            self._annoy = self._load_annoy(bundle_directory / INDEX_FILE)
        else:
            self._usearch = UsearchIndex(bundle_directory, measured, self._candidates)

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

    def nearest(
        self, embedding: NDArray[np.float32], num_rows: int, *, deep: bool = False
    ) -> NDArray[np.int32] | None:
        """About the best candidates, as the index finds them.

        Args:
            embedding: float32 `[embedding_dimension]`, a query.
            num_rows: How many.
            deep: Whether those after the first few dozen matter too, which takes longer.

        Returns:
            int32, ascending; None where so many are asked for that the index would look at most of them.
        """
        search_k = index_search_k(self._measured, num_rows, deep=deep)
        if search_k is None:
            return None
        if self._usearch is not None:
            return self._usearch.nearest(embedding, num_rows)
        rows = self._annoy.get_nns_by_vector([*embedding.tolist(), 0.0], num_rows, search_k)
        return np.sort(np.array(rows, np.int32))

    def score(
        self, embedding: NDArray[np.float32], rows: NDArray[np.int32] | None = None
    ) -> NDArray[np.float32]:
        """Exact scores float32 `[n]` of int32 `[n]` rows, or of every candidate.

        The score of a row is the same whichever others are asked for, bit for bit: each is a dot product of
        its own, which a product of matrices would not be.
        """
        candidates = self._candidates if rows is None else self._candidates[rows]
        scores: NDArray[np.float32] = np.vecdot(candidates, embedding)
        return scores

    def embeddings(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 `[n, embedding_dimension]`, candidates by row."""
        return self._candidates[rows]
