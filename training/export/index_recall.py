"""Builds the Annoy index and measures, on final answers, what it finds of the exact ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from service.bundle import INDEX_AUGMENTATION
from service.bundle.manifest import index_search_k
from training.errors import ExportError
from training.model.trained_model import TrainedModel

LEAST_RECALL = 0.99
MOST_SEARCH_K = 1_000_000
"""Nodes that one query may inspect before export gives up."""

_LEAST_SEARCH_K = 500
_STEP = 1.1
"""By how much more nodes are inspected until recall is enough: each tenth is a tenth of a query's time."""

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


def augment(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Appends `service.bundle.INDEX_AUGMENTATION`: float32 `[n, D]` to `[n, D + 1]`."""
    squares = np.sum(embeddings.astype(np.float64) ** 2, axis=1)
    rest = np.sqrt(np.maximum(squares.max() - squares, 0))
    return np.concatenate([embeddings, rest[:, None].astype(np.float32)], axis=1)


def build_index(embeddings: NDArray[np.float32], trees: int, seed: int, path: Path) -> AnnoyIndex:
    """Builds and writes an index; one thread and a seed give the same bytes each time.

    Args:
        embeddings: float32 `[num_candidates, D]`.
        trees: More find more and take more room.
        seed: Of the random splits.
        path: Where to write; must not be mapped by anyone.
    """
    vectors = augment(embeddings)
    index = AnnoyIndex(vectors.shape[1], "angular")
    index.set_seed(seed)
    for row, vector in enumerate(vectors):
        index.add_item(row, vector.tolist())
    index.build(trees, n_jobs=1)
    index.save(str(path))
    return index


def build_measured_index(
    embeddings: NDArray[np.float32],
    queries: SampledQueries,
    seed: int,
    path: Path,
) -> dict[str, Any]:
    """Builds an index whose answers hold `LEAST_RECALL`, and describes it for the manifest.

    Args:
        embeddings: float32 `[num_candidates, D]`.
        queries: What recall is measured on.
        seed: Of the index.
        path: Where to write.

    Raises:
        ExportError: `MOST_SEARCH_K` was reached.
    """
    description: dict[str, Any] = {
        "backend": "annoy",
        "metric": "angular",
        "augmentation": INDEX_AUGMENTATION,
        "trees": _TREES if len(embeddings) > _SMALL_CATALOGUE else _TREES_OF_SMALL,
        "candidates": len(embeddings),
    }
    index = build_index(embeddings, description["trees"], seed, path)
    # What the service will count: of trees that fit in one leaf each, as those of some dozen movies do, Annoy
    # finds nearly twice as many in the file as were built.
    description["trees"] = index.get_n_trees()
    search_k = _LEAST_SEARCH_K
    for k in MEASURED_K:
        deep = k == MEASURED_K[-1]

        def nearest(query: NDArray[np.float32], wanted: int, deep: bool = deep) -> NDArray[np.int64] | None:
            search_k = index_search_k(description, wanted, deep=deep)
            if search_k is None:
                return None
            return np.array(index.get_nns_by_vector([*query.tolist(), 0.0], wanted, search_k), np.int64)

        while True:
            description["deep_search_k" if deep else "search_k"] = search_k
            recall = measure_recall(nearest, queries, embeddings, k)
            if recall >= LEAST_RECALL:
                description[f"recall_at_{k}"] = recall
                break
            search_k = math.ceil(_STEP * search_k)
            if search_k > MOST_SEARCH_K:
                raise ExportError(
                    f"Annoy's recall stays at {recall:.4f} with {description['trees']} trees and search_k "
                    f"{MOST_SEARCH_K:,}; expected at least {LEAST_RECALL}: are the embeddings all alike?"
                )
    return description


def exact_top_k(
    embeddings: NDArray[np.float32], query: NDArray[np.float32], seen: NDArray[np.int32], k: int
) -> NDArray[np.int64]:
    """Candidate rows of the k best by dot product, best first, ties by row, `seen` left out."""
    scores = embeddings @ query
    scores[seen] = -np.inf
    best: NDArray[np.int64] = np.argsort(-scores, kind="stable")[: min(k, len(scores) - len(seen))]
    return best


def measure_recall(
    nearest: Callable[[NDArray[np.float32], int], NDArray[np.int64] | None],
    queries: SampledQueries,
    embeddings: NDArray[np.float32],
    k: int,
) -> float:
    """Mean share of the exact top k that answers over an index have, as the service assembles them.

    Args:
        nearest: The index: of a query, and how many rows are wanted, the rows, int64; None where the service
            would not ask it.
        queries: Who asks.
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
