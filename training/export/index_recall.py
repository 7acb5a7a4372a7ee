"""Build the index over the candidates, and search it as long as answers need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import faiss_index, usearch_index
from service.bundle.annoy_index import AnnoyIndex
from service.bundle.candidate_index import INDEX_FILES, AnyIndex
from service.bundle.faiss_index import FaissIndex
from service.bundle.index_description import Backend, IndexDescription
from service.bundle.usearch_index import UsearchIndex
from training.errors import ConfigurationError
from training.export.exact_answers import ExactAnswers
from training.export.sampled_queries import SampledQueries

LEAST_RECALL = 0.99
LEAST_COLD_RECALL = 0.97
"""Of cold-start users' answers, where there are others."""

CHEAP_SEARCH_K = 10_000
"""Nodes that take Annoy about a millisecond. It may inspect so many, or as many as there are candidates,
though scoring every one would be sooner already (docs/performance.md)."""

_EFFORTS: dict[Backend, tuple[int, float]] = {"annoy": (500, 1.1), "usearch": (64, 2.0), "faiss": (4, 1.25)}
"""The first search_k, and its factor until recall is enough: a tenth more is a tenth of a query of Annoy."""

_SMALL_CATALOGUE = 20_000
_TREES, _TREES_OF_SMALL = 16, 8
"""The more trees, the oftener a small catalogue's movies are found again; docs/performance.md says more."""

MEASURED_K = (10, 100)
_SUBSAMPLE = 4
"""Every fourth query says about where the least search_k lies, all of them where exactly."""

OnProgress = Callable[[str], None]


def require_index(backend: Backend) -> None:
    """Check before the minutes of training that the index can be built after them.

    Raises:
        ConfigurationError: The backend's package is not installed.
    """
    if backend == "usearch" and not usearch_index.is_installed():
        raise ConfigurationError("--index usearch needs the package: pip install -r requirements/usearch.txt")
    if backend == "faiss" and not faiss_index.is_installed():
        raise ConfigurationError("--index faiss needs the package: pip install -r requirements/faiss.txt")


def build_measured_index(
    directory: Path,
    embeddings: NDArray[np.float32],
    queries: SampledQueries,
    *,
    backend: Backend = "annoy",
    seed: int = 0,
    on_progress: OnProgress = lambda _: None,
) -> IndexDescription:
    """Build an index and find the least effort with which answers have `LEAST_RECALL`.

    Where no effort has, as with embeddings that are all alike, or only one that takes longer than scoring
    every candidate, the bundle gets no index and every candidate is scored.

    Args:
        directory: Of the bundle, where the index is written.
        embeddings: float32 `[num_candidates, D]`.
        queries: What recall is measured on.
        backend: What to build it with.
        seed: Of Annoy and faiss; usearch has none.
        on_progress: Called with every measurement.
    """
    exact = IndexDescription(backend="exact", candidates=len(embeddings), recall_at_10=1, recall_at_100=1)
    if backend == "exact":
        return exact
    index: AnyIndex
    if backend == "annoy":
        trees = _TREES if len(embeddings) > _SMALL_CATALOGUE else _TREES_OF_SMALL
        index = AnnoyIndex.build(directory, embeddings, trees=trees, seed=seed)
    elif backend == "faiss":
        index = FaissIndex.build(directory, embeddings, seed=seed)
    else:
        index = UsearchIndex.build(directory, embeddings)
    on_progress(f"built the index of {len(embeddings):,} movies")
    answers = ExactAnswers(embeddings, queries, MEASURED_K)
    on_progress(f"found the exact answers to {len(queries):,} queries")
    some = ExactAnswers(embeddings, queries.every(_SUBSAMPLE), MEASURED_K)
    search_k, factor = _EFFORTS[backend]
    description = index.describe(search_k, search_k)
    for k in MEASURED_K:
        most = description.lists or max(CHEAP_SEARCH_K, len(embeddings))
        efforts = _efforts(description.deep_search_k or search_k, factor, most)
        measured = _Measured(index, description, efforts, k, on_progress)
        found = measured.least(some, answers)
        if found is None:
            on_progress(
                f"{backend} misses too much with search_k {efforts[-1]:,}: every candidate will be scored"
            )
            (directory / INDEX_FILES[backend]).unlink()
            return exact
        description = found
    return description


def _efforts(first: int, factor: float, most: int) -> list[int]:
    efforts = [first]
    while efforts[-1] < most:
        efforts.append(math.ceil(factor * efforts[-1]))
    return efforts


class _Measured:
    """Recall of one depth by effort; each is measured once."""

    def __init__(
        self,
        index: AnyIndex,
        description: IndexDescription,
        efforts: list[int],
        k: int,
        on_progress: OnProgress,
    ) -> None:
        self._index = index
        self._description = description
        self._efforts = efforts
        self._k = k
        self._is_deep = k == MEASURED_K[-1]
        self._on_progress = on_progress
        self._recalls: dict[int, float | None] = {}

    def least(self, some: ExactAnswers, answers: ExactAnswers) -> IndexDescription | None:
        """The description with the least effort that is enough for all answers; None where none is."""
        place = self._about(some)
        while place < len(self._efforts) and self._recall(place, answers) is None:
            place += 1
        if place == len(self._efforts):
            return None
        while place > 0 and self._recall(place - 1, answers) is not None:
            place -= 1
        recalls: dict[str, Any] = {f"recall_at_{self._k}": self._recall(place, answers)}
        return replace(self._with_effort(place), **recalls)

    def _about(self, some: ExactAnswers) -> int:
        """The first effort that is enough for some answers, by steps that double and then by halves."""
        low, high = -1, 0
        while self._measure(high, some) is None:
            low = high
            if high == len(self._efforts) - 1:
                return high
            high = min(2 * high + 1, len(self._efforts) - 1)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._measure(middle, some) is not None else (middle, high)
        return high

    def _recall(self, place: int, answers: ExactAnswers) -> float | None:
        if place not in self._recalls:
            recall = self._recalls[place] = self._measure(place, answers)
            outcome = "too little" if recall is None else f"{recall:.4f}"
            self._on_progress(f"recall@{self._k} with search_k {self._efforts[place]:,}: {outcome}")
        return self._recalls[place]

    def _measure(self, place: int, answers: ExactAnswers) -> float | None:
        """Mean share that answers have of the exact ones; None where that is not enough."""
        recall, is_enough = measure_recall(self._index, self._with_effort(place), answers, self._k)
        return recall if is_enough else None

    def _with_effort(self, place: int) -> IndexDescription:
        effort = self._efforts[place]
        least = self._description.search_k if self._is_deep else effort
        return replace(self._description, search_k=least, deep_search_k=effort)


def measure_recall(
    index: AnyIndex, description: IndexDescription, answers: ExactAnswers, k: int
) -> tuple[float, bool]:
    """Mean share of the exact top k that answers over an index have, as the service assembles them.

    Args:
        index: The index.
        description: How long to search it.
        answers: Exact ones.
        k: Items of an answer, one of `MEASURED_K`.

    Returns:
        The mean over known users, or where no answer to them has an item over cold-start users; 1 where there
        is neither. And whether both kinds have enough.
    """
    queries = answers.queries
    shares = np.empty(len(queries))
    for place, (query, seen) in enumerate(zip(queries.embeddings, queries.seen, strict=True)):
        wanted = k + len(seen)
        search_k = description.search_k_for(wanted, deep=k == MEASURED_K[-1])
        found = None if search_k is None else index.nearest(query, wanted, search_k)
        shares[place] = answers.share(place, found, k)
    has_items = ~np.isnan(shares)
    known, cold = shares[has_items & ~queries.is_cold], shares[has_items & queries.is_cold]
    recall = next((float(each.mean()) for each in (known, cold) if len(each)), 1.0)
    is_enough = recall >= LEAST_RECALL and (len(cold) == 0 or float(cold.mean()) >= LEAST_COLD_RECALL)
    return recall, is_enough
