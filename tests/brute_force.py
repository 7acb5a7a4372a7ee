"""Expected answers of a bundle, computed from its files alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import HISTORY_ARRAYS, History
from service.bundle.query_encoding import encode_queries
from training.data.table import RatingsTable


@dataclass
class BruteForce:
    """Compute answers from a bundle's files with numpy, without index, service or training code."""

    table: RatingsTable
    bundle: Path

    def __post_init__(self) -> None:
        import tensorflow as tf  # noqa: PLC0415 takes seconds

        self._tf = tf
        self._model = tf.saved_model.load(str(self.bundle / "model"))
        self._stored = {name: np.load(self.bundle / path) for name, path in HISTORY_ARRAYS.items()}
        self._candidates = np.load(self.bundle / "candidates.npy")
        ends = self._stored["user_id_offsets"].tolist()
        text = self._stored["user_id_bytes"].tobytes()
        self._user_ids = [text[start:end].decode() for start, end in pairwise(ends)]

    def row(self, movie_id: str) -> int:
        return self.table.movies.movie_ids.index(movie_id)

    def _inputs(
        self, user_id: str | None, history: list[dict[str, Any]], timestamp: int | None
    ) -> tuple[dict[str, Any], list[int]]:
        rows, stars, times, user = [], [], [], NO_ROW
        if user_id in self._user_ids:
            user = self._user_ids.index(user_id)
            at = slice(*self._stored["offsets"][user : user + 2])
            rows, stars, times = (
                self._stored[name][at].tolist() for name in ("movie_rows", "ratings", "timestamps")
            )
        for entry in history:
            rows.append(self.row(entry["movie_id"]))
            stars.append(entry.get("rating", np.nan))
            times.append(NO_TIMESTAMP)
        seen = History(np.array(rows, np.int32), np.array(stars, np.float32), np.array(times, np.int64))
        inputs = encode_queries([seen], user, NO_TIMESTAMP if timestamp is None else timestamp)
        return {name: self._tf.constant(values) for name, values in inputs.items()}, rows

    def recommend(
        self, user_id: str | None, history: list[dict[str, Any]] | None = None, timestamp: int | None = None
    ) -> list[tuple[str, float]]:
        """Return all movies that may be recommended with their scores, best first."""
        inputs, seen = self._inputs(user_id, history or [], timestamp)
        [query] = self._model.signatures["embed_query"](**inputs)["query_embeddings"].numpy()
        scores = self._candidates @ query
        rows = [row for row in np.argsort(-scores, kind="stable").tolist() if row not in seen]
        return [(self.table.movies.movie_ids[row], float(scores[row])) for row in rows]

    def stars(self, movie_id: str, user_id: str | None, history: list[dict[str, Any]] | None = None) -> float:
        inputs, _ = self._inputs(user_id, history or [], None)
        rows = self._tf.constant([[self.row(movie_id)]], self._tf.int32)
        return float(self._model.signatures["predict_rating"](candidate_rows=rows, **inputs)["ratings"][0, 0])
