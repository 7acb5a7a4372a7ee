"""Embeddings of eight dimensions, of candidates or queries, and how many of the best an index finds."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DIMENSION = 8


class _Index(Protocol):
    def nearest(self, embedding: NDArray[np.float32], num_rows: int, search_k: int) -> NDArray[np.int32]: ...


def cloud(number: int, *, seed: int = 0) -> NDArray[np.float32]:
    """float32 `[number, DIMENSION]` of very different lengths, as popular and unknown movies have."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(0, 0.7, (number, 1))
    return (random.normal(size=(number, DIMENSION)) * lengths).astype(np.float32)


def mean_recall(
    index: _Index, candidates: NDArray[np.float32], *, rows: int, search_k: int, most: int
) -> float:
    """Share of the best ten by dot product among `rows` that are asked for, of at most `most` that come."""
    shares = []
    for query in cloud(40, seed=3):
        found = index.nearest(query, rows, search_k)
        assert found.dtype == np.int32
        assert np.all(np.diff(found) > 0)
        assert len(found) <= most
        shares.append(float(np.isin(np.argsort(-(candidates @ query), kind="stable")[:10], found).mean()))
    return float(np.mean(shares))
