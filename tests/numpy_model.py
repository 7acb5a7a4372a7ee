"""The tiny model without TensorFlow, so that the tests of a mutant take a second, see `make mutants`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_bundle
from numpy.typing import NDArray
from tiny_model import DIMENSION, FIRST_TIMESTAMP, LAST_TIMESTAMP, USER_IDS, TinyModel, make_tiny_model

from service.bundle import NO_ROW, NO_TIMESTAMP, query_tower
from service.bundle.saved_model import FILES

_RATED, _WATCHED = b"see tests/numpy_model.py", b"see it, without ratings"


class NumpySignature:
    """The signature `query_state` of `tiny_bundle` in numpy, in place of `QueryStateSignature`."""

    def __init__(self, model: TinyModel, *, has_ratings: bool) -> None:
        self._model = model
        self._has_ratings = has_ratings
        self.width = 2 * DIMENSION + 2 if has_ratings else DIMENSION

    @classmethod
    def open(cls, directory: Path, **threads: int) -> NumpySignature:  # noqa: ARG003 as of `QueryStateSignature`
        has_ratings = (directory / FILES[0]).read_bytes() == _RATED
        return cls(make_tiny_model(), has_ratings=has_ratings)

    def embed_candidate(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        movies = zip(columns["years"].tolist(), columns["genre_counts"].tolist(), strict=True)
        placed = np.stack([self._model.place(year, num_genres) for year, num_genres in movies])
        nothing = np.zeros(len(placed), np.float32)
        ratings = {"rating_vectors": placed / np.float32(16), "rating_biases": nothing}
        if not self._has_ratings:
            return {"candidate_embeddings": placed}
        return {"candidate_embeddings": placed, **ratings, "rating_confidences": nothing}

    def __call__(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        model, user_rows, timestamps = self._model, columns["user_rows"], columns["timestamps"]
        users = model.user_vectors[np.where(user_rows == NO_ROW, len(USER_IDS), user_rows)]
        since = np.clip(timestamps, FIRST_TIMESTAMP, LAST_TIMESTAMP) - FIRST_TIMESTAMP
        moments = np.where(timestamps == NO_TIMESTAMP, 0, since / 1024).astype(np.float32)
        stars, seconds = columns["history_ratings"], columns["history_timestamps"]
        liking = np.where(np.isnan(stars), np.float32(1), (stars - 3) / 4)
        weights = liking * np.where(seconds == NO_TIMESTAMP, np.float32(1), np.float32(0.5))
        seen = np.zeros_like(users)
        owners = np.repeat(np.arange(len(user_rows)), columns["history_lengths"])
        np.add.at(seen, owners, weights[:, np.newaxis] * model.candidates[columns["history_rows"]])
        embeddings = users + moments[:, np.newaxis] * model.time_vector + seen
        if not self._has_ratings:
            return embeddings
        return np.hstack([embeddings, embeddings, np.zeros((len(users), 2), np.float32)])


def use_numpy_model(patch: pytest.MonkeyPatch) -> None:
    """Write and open tiny bundles whose model is `NumpySignature`."""

    def write_placeholder(path: Path, _: TinyModel, has_ratings: bool) -> None:
        path.mkdir()
        (path.parent / FILES[0]).write_bytes(_RATED if has_ratings else _WATCHED)

    patch.setattr(tiny_bundle, "_save_model", write_placeholder)
    patch.setattr(query_tower, "QueryStateSignature", NumpySignature)
