"""Synthetic catalogues of any size with embeddings distributed as those of a real bundle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle.array_files import open_array
from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.histories import HISTORY_ARRAYS, Histories, History
from service.bundle.manifest import read_manifest
from service.bundle.query_encoding import encode_queries
from service.bundle.saved_model import MODEL_DIRECTORY

Array = NDArray[np.float32]

_NEIGHBOURS = 5
_SPREAD = 0.5
_SEEN = 20
_AT_ONCE = 1_000_000


def sample_like(real: Array, number: int, seed: int) -> Array:
    """Sample embeddings with the clusters and lengths of real ones.

    Each is a random point between a real embedding and one of its five nearest (SMOTE, Chawla et al. 2002,
    https://doi.org/10.1613/jair.953), plus Gaussian noise whose length is on average half the distance of the
    two, so that samples fill the space around them.

    Args:
        real: float32 `[m, D]`, real embeddings.
        number: Number of samples.
        seed: Random seed.

    Returns:
        float32 `[number, D]`.
    """
    return np.concatenate(list(_samples(real, number, seed)))


def write_candidates_like(directory: Path, real: Array, number: int, seed: int) -> Array:
    """Write samples as a bundle's embeddings, a million at a time; returns them mapped into memory."""
    path = directory / CANDIDATES_FILE
    written = np.lib.format.open_memmap(path, "w+", np.float32, (number, real.shape[1]))
    start = 0
    for samples in _samples(real, number, seed):
        written[start : start + len(samples)] = samples
        start += len(samples)
    written.flush()
    del written
    return open_array(path, np.float32, dimensions=2)


def _samples(real: Array, number: int, seed: int) -> Iterator[Array]:
    random = np.random.default_rng(seed)
    squares = np.sum(real**2, axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * real @ real.T, 0))
    np.fill_diagonal(distances, np.inf)
    nearest = np.argpartition(distances, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    for start in range(0, number, _AT_ONCE):
        size = min(_AT_ONCE, number - start)
        one = random.integers(len(real), size=size)
        other = nearest[one, random.integers(_NEIGHBOURS, size=size)]
        between = real[one] + random.random((size, 1), np.float32) * (real[other] - real[one])
        spread = _SPREAD * distances[one, other] / np.sqrt(real.shape[1])
        noise = random.standard_normal(between.shape, np.float32)
        yield between + noise * spread[:, None].astype(np.float32)


def real_embeddings(bundle: Path) -> tuple[Array, Array]:
    """Return a bundle's candidate embeddings, and its users' query embeddings without a time."""
    import tensorflow as tf  # noqa: PLC0415  takes seconds

    length = read_manifest(bundle).max_history
    arrays = {name: np.load(bundle / file) for name, file in HISTORY_ARRAYS.items()}
    embed = tf.saved_model.load(str(bundle / MODEL_DIRECTORY)).signatures["embed_query"]
    offsets = arrays["offsets"]
    users = np.arange(len(offsets) - 1, dtype=np.int32)
    queries = []
    for group in np.split(users, range(64, len(users), 64)):
        histories = [
            History(*(arrays[name][rated] for name in ("movie_rows", "ratings", "timestamps")))
            for user in group
            for rated in [slice(max(offsets[user], offsets[user + 1] - length), offsets[user + 1])]
        ]
        inputs = encode_queries(histories, group)
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        queries.append(embed(**tensors)["query_embeddings"].numpy())
    return np.load(bundle / CANDIDATES_FILE), np.concatenate(queries)


def write_users(directory: Path, users: int, candidates: int, seed: int) -> NDArray[np.int32]:
    """Write synthetic histories of twenty movies per user in a bundle's format.

    Returns:
        int32 `[users, 20]`, the movies each has seen; the first rows are far more popular than the last.
    """
    random = np.random.default_rng(seed)
    seen = (candidates * random.random((users, _SEEN)) ** 3).astype(np.int32)
    ratings = History(
        seen.reshape(-1), np.full(seen.size, 4, np.float32), np.tile(np.arange(_SEEN, dtype=np.int64), users)
    )
    offsets = np.arange(users + 1, dtype=np.int64) * _SEEN
    Histories.write(directory, sorted(map(str, range(users))), offsets, ratings)
    return seen
