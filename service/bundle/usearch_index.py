"""`candidates.usearch`: a graph (HNSW), not trees; the only importer of usearch, an optional package."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.augmentation import augment
from service.bundle.index_description import IndexDescription
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable

USEARCH_FILE = "candidates.usearch"

CONNECTIVITY, EXPANSION_ADD = 16, 128
"""usearch's own defaults: links of a node, and candidates considered for them (`M` and `efConstruction` of
Malkov and Yashunin 2016, arXiv:1603.09320)."""


def is_installed() -> bool:
    """Whether the optional package is there."""
    return find_spec("usearch") is not None


class UsearchIndex:
    """A graph over the augmented embeddings, memory-mapped. Made by `build` or `open`."""

    def __init__(self, loaded: Any) -> None:
        self._index = loaded
        self._one_at_a_time = threading.Lock()

    @classmethod
    def build(cls, directory: Path, embeddings: NDArray[np.float32], *, threads: int = 1) -> UsearchIndex:
        """Build and write the index; one thread gives the same bytes each time.

        Args:
            directory: Of the bundle; no process may have an index in it mapped.
            embeddings: float32 `[num_candidates, D]`.
            threads: More are sooner done.
        """
        from usearch.index import Index  # noqa: PLC0415  optional

        vectors = augment(embeddings)
        index = Index(
            ndim=vectors.shape[1],
            metric="ip",
            dtype="f32",
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
        )
        index.add(np.arange(len(vectors)), vectors, threads=threads)
        index.save(directory / USEARCH_FILE)
        return cls(index)

    @classmethod
    def open(cls, directory: Path, description: IndexDescription, dimension: int) -> UsearchIndex:
        """Map the index.

        Args:
            directory: Of the bundle.
            description: What its manifest says.
            dimension: D of the candidates.

        Raises:
            BundleIncompatible: usearch is not installed.
            BundleUnreadable: The file is missing, or usearch cannot read it.
            BundleInconsistent: File and description disagree, or the dimension is another.
        """
        path = directory / USEARCH_FILE
        index = _view(path)
        expected = description.candidates, dimension + 1
        if (len(index), index.ndim) != expected:
            raise BundleInconsistent(
                f"{path}: expected {expected[0]} vectors of dimension {expected[1]}, got {len(index)} of "
                f"{index.ndim}; export again"
            )
        return cls(index)

    def describe(self, search_k: int, deep_search_k: int) -> IndexDescription:
        """What the manifest says of it."""
        return IndexDescription(
            backend="usearch",
            candidates=len(self._index),
            connectivity=CONNECTIVITY,
            expansion_add=EXPANSION_ADD,
            search_k=search_k,
            deep_search_k=deep_search_k,
        )

    def holds(self, row: int, candidate: NDArray[np.float32]) -> bool:
        """Whether it has this candidate, float32 `[D]`, in this row."""
        return np.array_equal(self._index.get(row)[:-1], candidate)

    def nearest(self, embedding: NDArray[np.float32], num_rows: int, search_k: int) -> NDArray[np.int32]:
        """About the best candidates, int32, ascending.

        Args:
            embedding: float32 `[D]`, a query.
            num_rows: How many.
            search_k: usearch's `expansion_search`.
        """
        query = np.append(embedding, np.float32(0))
        with self._one_at_a_time:  # usearch gives every call of one thread the same scratch space
            self._index.expansion_search = search_k
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
