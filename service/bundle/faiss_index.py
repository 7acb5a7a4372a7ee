"""`candidates.faiss`: lists of product-quantized vectors; the only importer of faiss, an optional package.

The augmented embeddings are divided among lists by k-means, and of each vector's difference from the mean of
its list 8 bits are kept for every two coordinates (Jégou et al. 2011, Product quantization for nearest
neighbor search, https://doi.org/10.1109/TPAMI.2010.57). So the lists take an eighth of what the embeddings
do, and 8 bytes a candidate; whatever they find must be scored exactly. The lists searched are the nearest to
[q, 0], which measured better than those of the largest dot product.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.augmentation import augment, largest_square_of
from service.bundle.index_description import IndexDescription
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable

FAISS_FILE = "candidates.faiss"

_LISTS_PER_ROOT = 3
"""Lists for each unit of the square root of the number of candidates, rounded to a power of two; FAISS's
guidelines begin at 4, which takes longer to build."""

_TRAINED_ON, _QUANTIZED_FROM, _ITERATIONS = 32, 16_384, 8
"""Vectors for each list, and for the codes, that k-means sees, and its rounds."""

_BITS = 8
_AT_ONCE = 2**17
"""Vectors in memory at the same time while lists are filled."""

_RESCORED, _LEAST_RESCORED, _MOST_BESIDE = 16, 1_024, 8_192
"""Rows returned for each wanted, at least, and at most more than wanted: by their codes nearly all of the
best ten of a million are among the first 1,024."""

_RESCORED_PER_ROOT = 1.3
"""At least so many for each unit of the square root of the number of candidates: of 10 million 4,111 find
0.95 of the best ten in 256 lists, 1,024 at most 0.88 in all of them."""

_LISTS_CHECKED = 4
"""Nearest lists in which a candidate is looked for: of several as near, rounding decides."""


def is_installed() -> bool:
    """Whether the optional package is there."""
    return find_spec("faiss") is not None


class FaissIndex:
    """Inverted lists over the augmented embeddings, memory-mapped. Made by `build` or `open`."""

    def __init__(self, loaded: Any, largest_square: float) -> None:
        self._index = loaded
        self._least_rescored = max(_LEAST_RESCORED, int(_RESCORED_PER_ROOT * math.sqrt(loaded.ntotal)))
        self._largest_square = largest_square
        self._parameters = _faiss().SearchParametersIVF

    @classmethod
    def build(
        cls, directory: Path, embeddings: NDArray[np.float32], *, seed: int = 0, threads: int = 1
    ) -> FaissIndex:
        """Build and write the index; one thread and a seed give the same bytes each time.

        Args:
            directory: Of the bundle; no process may have an index in it mapped.
            embeddings: float32 `[num_candidates, D]`, may be memory-mapped.
            seed: Of the samples and of k-means.
            threads: More are sooner done.
        """
        faiss = _faiss()
        faiss.omp_set_num_threads(threads)
        largest_square = largest_square_of(embeddings)
        random = np.random.default_rng(seed)
        lists = _number_of_lists(len(embeddings))
        sampled = np.sort(random.permutation(len(embeddings))[: max(_TRAINED_ON * lists, _QUANTIZED_FROM)])
        sample = _vectors(embeddings[sampled], largest_square)
        dimension = sample.shape[1]
        index = faiss.IndexIVFPQ(
            faiss.IndexFlatL2(dimension),
            dimension,
            lists,
            dimension // 2,
            _BITS,
            faiss.METRIC_INNER_PRODUCT,
        )
        for clustering in (index.cp, index.pq.cp):
            clustering.niter, clustering.seed, clustering.min_points_per_centroid = _ITERATIONS, seed, 1
        index.pq.cp.max_points_per_centroid = _QUANTIZED_FROM >> _BITS
        # k-means takes no fewer vectors than there are codes, of a small catalogue each several times.
        index.train(np.resize(sample, (max(len(sample), 2**_BITS), dimension)))
        for start in range(0, len(embeddings), _AT_ONCE):
            index.add(_vectors(embeddings[start : start + _AT_ONCE], largest_square))
        faiss.write_index(index, str(directory / FAISS_FILE))
        return cls(index, largest_square)

    @classmethod
    def open(cls, directory: Path, description: IndexDescription, dimension: int) -> FaissIndex:
        """Map the index.

        Args:
            directory: Of the bundle.
            description: What its manifest says.
            dimension: D of the candidates.

        Raises:
            BundleIncompatible: faiss is not installed.
            BundleUnreadable: The file is missing, or faiss cannot read it.
            BundleInconsistent: File and description disagree, or the dimension is another.
        """
        path = directory / FAISS_FILE
        index = _map(path)
        found = {"candidates": index.ntotal, "dimension": index.d, "lists": index.nlist}
        expected = {
            "candidates": description.candidates,
            "dimension": _padded(dimension + 1),
            "lists": description.lists,
        }
        if found != expected:
            raise BundleInconsistent(f"{path}: expected {expected}, got {found}; export again")
        return cls(index, description.largest_square or 0.0)

    def describe(self, search_k: int, deep_search_k: int) -> IndexDescription:
        """What the manifest says of it."""
        return IndexDescription(
            backend="faiss",
            candidates=self._index.ntotal,
            lists=self._index.nlist,
            code_bytes=self._index.code_size,
            largest_square=self._largest_square,
            search_k=search_k,
            deep_search_k=deep_search_k,
        )

    def holds(self, row: int, candidate: NDArray[np.float32]) -> bool:
        """Whether a list has this candidate, float32 `[D]`, in this row: by its code."""
        faiss, index = _faiss(), self._index
        vector = _vectors(candidate[None], self._largest_square)
        _, nearest = index.quantizer.search(vector, min(_LISTS_CHECKED, index.nlist))
        for number in nearest[0].tolist():
            size = index.invlists.list_size(number)
            places = np.flatnonzero(faiss.rev_swig_ptr(index.invlists.get_ids(number), size) == row)
            if len(places):
                code, of_list = np.empty(index.code_size, np.uint8), np.array([number], np.int64)
                index.encode_vectors(1, faiss.swig_ptr(vector), faiss.swig_ptr(of_list), faiss.swig_ptr(code))
                kept = index.invlists.get_single_code(number, int(places[0]))
                return np.array_equal(faiss.rev_swig_ptr(kept, index.code_size), code)
        return False

    def nearest(self, embedding: NDArray[np.float32], num_rows: int, search_k: int) -> NDArray[np.int32]:
        """About the best candidates, int32, ascending; several times as many as wanted.

        Args:
            embedding: float32 `[D]`, a query.
            num_rows: How many at least of what the searched lists have.
            search_k: Lists to search, faiss's `nprobe`.
        """
        query = np.zeros((1, self._index.d), np.float32)
        query[0, : len(embedding)] = embedding
        returned = min(max(self._least_rescored, _RESCORED * num_rows), num_rows + _MOST_BESIDE)
        _, found = self._index.search(
            query, min(returned, self._index.ntotal), params=self._parameters(nprobe=search_k)
        )
        rows: NDArray[np.int32] = np.sort(found[0]).astype(np.int32)
        return rows[np.searchsorted(rows, 0) :]  # -1 where the lists have no more


def _faiss() -> Any:
    import faiss  # noqa: PLC0415  optional

    return faiss


def _number_of_lists(candidates: int) -> int:
    return 1 << round(math.log2(_LISTS_PER_ROOT * math.sqrt(candidates)))


def _padded(dimension: int) -> int:
    """The next even number."""
    return dimension + dimension % 2


def _vectors(embeddings: NDArray[np.float32], largest_square: float) -> NDArray[np.float32]:
    """Augmented, with a zero where that makes their dimension even."""
    vectors = augment(np.asarray(embeddings), largest_square)
    return np.pad(vectors, ((0, 0), (0, vectors.shape[1] % 2)))


def _map(path: Path) -> Any:
    try:
        faiss = _faiss()
    except ImportError as error:
        raise BundleIncompatible(
            f"{path}: expected the package faiss-cpu, which this bundle's index needs; install "
            "requirements/faiss.txt, or export with --index annoy"
        ) from error
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        raise BundleUnreadable(f"{path}: faiss cannot load it ({error}); copy it again") from error
    if not isinstance(index, faiss.IndexIVFPQ):
        raise BundleUnreadable(
            f"{path}: expected inverted lists of codes, got {type(index).__name__}; export again"
        )
    # Threads that read ahead, started for every query, take several times as long as the query.
    faiss.downcast_InvertedLists(index.invlists).prefetch_nthread = 0
    return index
