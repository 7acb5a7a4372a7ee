"""`candidates.ann`: Annoy's trees over the augmented embeddings; the only importer of annoy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import annoy
import numpy as np
from numpy.typing import NDArray

from service.bundle.augmentation import augment
from service.bundle.index_description import IndexDescription
from service.errors import BundleInconsistent, BundleUnreadable

INDEX_FILE = "candidates.ann"
_METRIC: Literal["angular"] = "angular"


class AnnoyIndex:
    """Annoy, memory-mapped. Made by `build` or `open`.

    It finds rows by the angle between augmented vectors, which orders as the dot product does, but not all.
    """

    def __init__(self, loaded: Any) -> None:
        self._annoy = loaded

    @classmethod
    def build(cls, directory: Path, embeddings: NDArray[np.float32], *, trees: int, seed: int) -> AnnoyIndex:
        """Build and write the index; one thread and a seed give the same bytes each time.

        Args:
            directory: Of the bundle; no process may have an index in it mapped.
            embeddings: float32 `[num_candidates, D]`.
            trees: More find more and take more room.
            seed: Of the random splits.

        Raises:
            OSError: The file cannot be written.
        """
        vectors = augment(embeddings)
        index = annoy.AnnoyIndex(vectors.shape[1], _METRIC)
        index.set_seed(seed)
        for row, vector in enumerate(vectors):
            index.add_item(row, vector.tolist())
        index.build(trees, n_jobs=1)
        index.save(str(directory / INDEX_FILE))
        return cls(index)

    @classmethod
    def open(cls, directory: Path, description: IndexDescription, dimension: int) -> AnnoyIndex:
        """Map the index.

        Args:
            directory: Of the bundle.
            description: What its manifest says.
            dimension: D of the candidates.

        Raises:
            BundleUnreadable: The file is missing, or Annoy cannot load it.
            BundleInconsistent: File and description disagree, or the dimension is another.
        """
        path = directory / INDEX_FILE
        index = annoy.AnnoyIndex(dimension + 1, _METRIC)
        try:
            index.load(str(path))
        except OSError as error:
            raise BundleUnreadable(f"{path}: Annoy cannot load it ({error}); copy it again") from error
        found = {"candidates": index.get_n_items(), "trees": index.get_n_trees()}
        expected = {"candidates": description.candidates, "trees": description.trees}
        if found != expected:
            raise BundleInconsistent(f"{path}: expected {expected}, got {found}; export again")
        return cls(index)

    def describe(self, search_k: int, deep_search_k: int) -> IndexDescription:
        """What the manifest says of it.

        Trees are counted as Annoy's file has them: of trees that fit in one leaf each, as those of some dozen
        movies do, it finds nearly twice as many as were built.
        """
        return IndexDescription(
            backend="annoy",
            candidates=self._annoy.get_n_items(),
            trees=self._annoy.get_n_trees(),
            search_k=search_k,
            deep_search_k=deep_search_k,
        )

    def holds(self, row: int, candidate: NDArray[np.float32]) -> bool:
        """Whether it has this candidate, float32 `[D]`, in this row."""
        return np.array_equal(self._annoy.get_item_vector(row)[:-1], candidate)

    def nearest(self, embedding: NDArray[np.float32], num_rows: int, search_k: int) -> NDArray[np.int32]:
        """About the best candidates, int32, ascending.

        Args:
            embedding: float32 `[D]`, a query.
            num_rows: How many.
            search_k: Nodes to inspect.
        """
        rows = self._annoy.get_nns_by_vector([*embedding.tolist(), 0.0], num_rows, search_k)
        return np.sort(np.array(rows, np.int32))
