"""Queries on which the index is measured: of users of the data, and as cold-start users send them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle.query_encoding import QueryInputs, encode_queries, untimed_history
from training.model.trained_model import TrainedModel

_MEASURED_USERS = 1_000
"""The share that a user gets of the exact best has a standard deviation of 0.04 to 0.06 (100K, recall 0.99),
so the mean over so many has a standard error under 0.002."""

_COLD_START_USERS = 200
"""Standard error of their mean: 0.004."""

LONGEST_COLD_START = 6
"""Movies of the longest history that a measured cold-start user sends."""

_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class SampledQueries:
    """Queries whose answers are compared.

    Attributes:
        embeddings: float32 `[n, D]`.
        seen: Of each the candidate rows to exclude, int32, each once.
        num_cold: How many of them, the last ones, are cold-start users'.
    """

    embeddings: NDArray[np.float32]
    seen: list[NDArray[np.int32]]
    num_cold: int = 0

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def is_cold(self) -> NDArray[np.bool_]:
        """Whether each query is a cold-start user's, bool `[n]`."""
        return np.arange(len(self)) >= len(self) - self.num_cold

    def every(self, step: int) -> SampledQueries:
        """Every `step`-th of both kinds."""
        places = [np.arange(len(self))[kind][::step] for kind in (~self.is_cold, self.is_cold)]
        rows = np.concatenate(places)
        return SampledQueries(
            self.embeddings[rows], [self.seen[row] for row in rows.tolist()], len(places[1])
        )


def sample_queries(trained: TrainedModel) -> SampledQueries:
    """Time-agnostic queries of all users, or of a sample where there are many, and of cold-start users.

    Cold-start users send 1 to `LONGEST_COLD_START` rated movies, with stars of the scale's ends
    and middle. Where users have seen everything there is, these are the only answers that there are.
    """
    histories, length = trained.histories, trained.config.max_history
    random = np.random.default_rng(trained.config.seed)
    users = np.arange(len(histories), dtype=np.int32)
    if len(users) > _MEASURED_USERS:
        users = np.sort(random.choice(users, _MEASURED_USERS, replace=False))
    groups = np.split(users, range(_AT_ONCE, len(users), _AT_ONCE))
    embedded = [trained.embed_queries(histories.query_inputs(group, length)) for group in groups]
    seen = [histories.movie_rows[histories.rows_of(user)] for user in users.tolist()]
    cold = [_draw(trained, random, 1 + at % LONGEST_COLD_START) for at in range(_COLD_START_USERS)]
    embedded.append(trained.embed_queries(_cold_inputs(trained, random, cold)))
    return SampledQueries(np.concatenate(embedded), seen + cold, len(cold))


def _draw(trained: TrainedModel, random: np.random.Generator, length: int) -> NDArray[np.int32]:
    rated = np.flatnonzero(trained.histories.movie_counts).astype(np.int32)
    return random.choice(rated, min(length, len(rated)), replace=False)


def _cold_inputs(
    trained: TrainedModel, random: np.random.Generator, histories: list[NDArray[np.int32]]
) -> QueryInputs:
    low, high = trained.vocabulary.rating_scale or (np.nan, np.nan)
    stars = [low, (low + high) / 2, high]
    read = slice(-trained.config.max_history, None)
    return encode_queries(
        [untimed_history(rows[read], random.choice(stars, len(rows))[read]) for rows in histories]
    )
