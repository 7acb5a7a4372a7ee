"""A graph (HNSW) instead of Annoy: the only importer of usearch, an optional package."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import INDEX_AUGMENTATION, USEARCH_FILE
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable

_EXPECTED = {"metric": "ip", "augmentation": INDEX_AUGMENTATION}


class UsearchIndex:
    """`candidates.usearch`, memory-mapped.

    Args:
        bundle_directory: The bundle.
        measured: The manifest's `index`.
        candidates: float32 `[num_candidates, embedding_dimension]`, what it was built from.

    Raises:
        BundleIncompatible: usearch is not installed.
        BundleUnreadable: The file is missing, or usearch cannot read it.
        BundleInconsistent: File, manifest and candidates disagree.
    """

    def __init__(
        self, bundle_directory: Path, measured: Mapping[str, Any], candidates: NDArray[np.float32]
    ) -> None:
        path = bundle_directory / USEARCH_FILE
        found = {name: measured.get(name) for name in _EXPECTED}
        if found != _EXPECTED:
            raise BundleInconsistent(f"{path}: expected an index of {_EXPECTED}, got {found}; export again")
        self._index = _view(path)
        number, dimension = candidates.shape
        if (len(self._index), self._index.ndim) != (number, dimension + 1):
            raise BundleInconsistent(
                f"{path}: expected {number} vectors of dimension {dimension + 1}, got {len(self._index)} of "
                f"{self._index.ndim}; export again"
            )
        # usearch would load an index of other candidates just as well, and answer nonsense.
        for row in (0, number - 1):
            if not np.array_equal(self._index.get(row)[:dimension], candidates[row]):
                raise BundleInconsistent(f"{path}: row {row} is not the candidates' vector; export again")
        # Of a query that wants more rows usearch itself looks at as many.
        self._index.expansion_search = measured["search_k"]
        self._one_at_a_time = threading.Lock()

    def nearest(self, embedding: NDArray[np.float32], num_rows: int) -> NDArray[np.int32]:
        """About the best candidates, int32, ascending; see `CandidateIndex.nearest`."""
        query = np.append(embedding, np.float32(0))
        with self._one_at_a_time:  # usearch gives every call of one thread the same scratch space
            keys = self._index.search(query, num_rows, threads=1).keys
        return np.sort(keys).astype(np.int32)


def _view(path: Path) -> Any:
    try:
        from usearch.index import Index  # noqa: PLC0415  optional
    except ImportError as error:
        raise BundleIncompatible(
            f"{path}: expected the package usearch, which this bundle's index needs; install "
            "requirements/usearch.txt, or export with --index annoy"
        ) from error
    try:
        index = Index.restore(path, view=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise BundleUnreadable(f"{path}: usearch cannot load it ({error}); copy it again") from error
    if index is None:
        raise BundleUnreadable(f"{path}: not an index of usearch; copy it again")
    return index
