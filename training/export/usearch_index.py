"""Builds a graph (HNSW) instead of Annoy's trees, with usearch, an optional package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import INDEX_AUGMENTATION
from service.bundle.manifest import index_search_k
from training.errors import ConfigurationError, ExportError
from training.export.index_recall import (
    LEAST_RECALL,
    MEASURED_K,
    MOST_SEARCH_K,
    SampledQueries,
    augment,
    measure_recall,
)

CONNECTIVITY, EXPANSION_ADD = 16, 128
"""usearch's own defaults: links of a node, and candidates looked at for them (`M` and `efConstruction` of
Malkov and Yashunin 2016, arXiv:1603.09320)."""


def require_usearch() -> None:
    """Before the minutes of training.

    Raises:
        ConfigurationError: usearch is not installed.
    """
    if find_spec("usearch") is None:
        raise ConfigurationError("--index usearch needs the package: pip install -r requirements/usearch.txt")


def build_usearch(embeddings: NDArray[np.float32], path: Path, *, threads: int = 1) -> Any:
    """Builds and writes an index; one thread gives the same answers each time.

    Args:
        embeddings: float32 `[num_candidates, D]`.
        path: Where to write; must not be mapped by anyone.
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
    index.save(path)
    return index


def build_measured_usearch(
    embeddings: NDArray[np.float32], queries: SampledQueries, path: Path
) -> dict[str, Any]:
    """As `candidate_index.build_measured_index`; `search_k` is usearch's expansion of one search.

    Raises:
        ExportError: `MOST_SEARCH_K` was reached.
    """
    index = build_usearch(embeddings, path)
    description: dict[str, Any] = {
        "backend": "usearch",
        "metric": "ip",
        "augmentation": INDEX_AUGMENTATION,
        "connectivity": CONNECTIVITY,
        "expansion_add": EXPANSION_ADD,
        "search_k": 64,
        "candidates": len(embeddings),
    }

    def nearest(query: NDArray[np.float32], wanted: int) -> NDArray[np.int64] | None:
        if index_search_k(description, wanted) is None:
            return None
        found = index.search(np.append(query, np.float32(0)), wanted, threads=1)
        return np.array(found.keys, np.int64)

    while description["search_k"] <= MOST_SEARCH_K:
        index.expansion_search = description["search_k"]
        recalls = {k: measure_recall(nearest, queries, embeddings, k) for k in MEASURED_K}
        if min(recalls.values()) >= LEAST_RECALL:
            return description | {f"recall_at_{k}": recall for k, recall in recalls.items()}
        description["search_k"] *= 2
    raise ExportError(
        f"usearch's recall stays at {min(recalls.values()):.4f} with an expansion of {MOST_SEARCH_K:,}; "
        f"expected at least {LEAST_RECALL}: are the embeddings all alike?"
    )
