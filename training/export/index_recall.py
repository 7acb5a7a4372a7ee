"""Build the index over the candidates and measure its recall on final answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import usearch_index
from service.bundle.annoy_index import AnnoyIndex
from service.bundle.index_description import Backend, IndexDescription
from service.bundle.usearch_index import UsearchIndex
from training.errors import ConfigurationError, ExportError
from training.model.trained_model import TrainedModel

LEAST_RECALL = 0.99
MOST_SEARCH_K = 1_000_000
"""Nodes that one query may inspect before export gives up."""

_EFFORTS: dict[Backend, tuple[int, float]] = {"annoy": (500, 1.1), "usearch": (64, 2.0)}
"""The first search_k, and its factor until recall is enough: a tenth more is a tenth of a query of Annoy."""

_SMALL_CATALOGUE = 20_000
_TREES, _TREES_OF_SMALL = 16, 8
"""The more trees, the oftener a small catalogue's movies are found again; docs/performance.md says more."""

MEASURED_K = (10, 100)
_MEASURED_USERS = 10_000


@dataclass(frozen=True, eq=False)
class SampledQueries:
    """Users whose answers are compared.

    Attributes:
        embeddings: float32 `[n, D]`.
        seen: Of each the candidate rows to exclude, int32.
    """

    embeddings: NDArray[np.float32]
    seen: list[NDArray[np.int32]]


def require_index(backend: Backend) -> None:
    """Check before the minutes of training that the index can be built after them.

    Raises:
        ConfigurationError: The backend's package is not installed.
    """
    if backend == "usearch" and not usearch_index.is_installed():
        raise ConfigurationError("--index usearch needs the package: pip install -r requirements/usearch.txt")


def sample_queries(trained: TrainedModel) -> SampledQueries:
    """Time-agnostic queries of all users, or of a sample where there are very many."""
    histories = trained.histories
    users = np.arange(len(histories), dtype=np.int32)
    if len(users) > _MEASURED_USERS:
        random = np.random.default_rng(trained.config.seed)
        users = np.sort(random.choice(users, _MEASURED_USERS, replace=False))
    groups = np.split(users, range(256, len(users), 256))
    embedded = [
        trained.embed_queries(histories.query_inputs(group, trained.config.max_history)) for group in groups
    ]
    seen = [histories.movie_rows[histories.rows_of(user)] for user in users.tolist()]
    return SampledQueries(np.concatenate(embedded), seen)


def build_measured_index(
    directory: Path,
    embeddings: NDArray[np.float32],
    queries: SampledQueries,
    *,
    backend: Backend = "annoy",
    seed: int = 0,
) -> IndexDescription:
    """Build an index and raise its search effort until answers have `LEAST_RECALL`.

    Args:
        directory: Of the bundle, where the index is written.
        embeddings: float32 `[num_candidates, D]`.
        queries: What recall is measured on.
        backend: What to build it with.
        seed: Of Annoy; usearch has none.

    Raises:
        ExportError: `MOST_SEARCH_K` was reached.
    """
    search_k, step = _EFFORTS[backend]
    index: AnnoyIndex | UsearchIndex
    if backend == "annoy":
        trees = _TREES if len(embeddings) > _SMALL_CATALOGUE else _TREES_OF_SMALL
        index = AnnoyIndex.build(directory, embeddings, trees=trees, seed=seed)
    else:
        index = UsearchIndex.build(directory, embeddings)
    description = index.describe(search_k, search_k)
    recalls: dict[str, Any] = {}
    for k in MEASURED_K:
        while (recall := _recall_as_served(index, description, queries, embeddings, k)) < LEAST_RECALL:
            search_k = math.ceil(step * search_k)
            if search_k > MOST_SEARCH_K:
                raise ExportError(
                    f"{backend}'s recall stays at {recall:.4f} even with search_k {MOST_SEARCH_K:,}; "
                    f"expected at least {LEAST_RECALL}: are the embeddings all alike?"
                )
            least = description.search_k if _is_deep(k) else search_k
            description = replace(description, search_k=least, deep_search_k=search_k)
        recalls[f"recall_at_{k}"] = recall
    return replace(description, **recalls)


def _is_deep(k: int) -> bool:
    return k == MEASURED_K[-1]


def _recall_as_served(
    index: AnnoyIndex | UsearchIndex,
    description: IndexDescription,
    queries: SampledQueries,
    embeddings: NDArray[np.float32],
    k: int,
) -> float:
    def nearest(query: NDArray[np.float32], wanted: int) -> NDArray[np.int32] | None:
        search_k = description.search_k_for(wanted, deep=_is_deep(k))
        return None if search_k is None else index.nearest(query, wanted, search_k)

    return measure_recall(nearest, queries, embeddings, k)


def exact_top_k(
    embeddings: NDArray[np.float32], query: NDArray[np.float32], seen: NDArray[np.int32], k: int
) -> NDArray[np.int64]:
    """Candidate rows of the k best by dot product, best first, ties by row, `seen` left out."""
    scores = embeddings @ query
    scores[seen] = -np.inf
    best: NDArray[np.int64] = np.argsort(-scores, kind="stable")[: min(k, len(scores) - len(seen))]
    return best


def measure_recall(
    nearest: Callable[[NDArray[np.float32], int], NDArray[np.int32] | None],
    queries: SampledQueries,
    embeddings: NDArray[np.float32],
    k: int,
) -> float:
    """Mean share of the exact top k that answers over an index have, as the service assembles them.

    Args:
        nearest: The index: of a query, and how many rows are wanted, the rows, int32; None where the service
            would not ask it.
        queries: Of the users whose answers are compared.
        embeddings: float32 `[num_candidates, D]`.
        k: Items of an answer.
    """
    shares = []
    for query, seen in zip(queries.embeddings, queries.seen, strict=True):
        exact = exact_top_k(embeddings, query, seen, k)
        wanted = k + len(seen)
        if len(exact) == 0:
            continue
        found = nearest(query, wanted)
        if found is None:
            shares.append(1.0)
            continue
        kept = np.setdiff1d(found, seen)
        # With too few left the service scores every candidate.
        shares.append(float(np.isin(exact, kept).mean()) if len(kept) >= len(exact) else 1.0)
    return float(np.mean(shares)) if shares else 1.0
