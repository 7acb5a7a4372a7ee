"""Straightforward recommendations from a bundle by TensorFlow and Annoy, without this service's code."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from annoy import AnnoyIndex
from numpy.typing import NDArray

from benchmarks.serving.work import BUNDLE_VARIABLE, K
from service.bundle.annoy_index import INDEX_FILE
from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.catalogue import CATALOGUE_FILE
from service.bundle.display_title import display_title
from service.bundle.histories import HISTORY_ARRAYS, History
from service.bundle.manifest import read_manifest
from service.bundle.query_encoding import QueryInputs, encode_queries
from service.bundle.saved_model import MODEL_DIRECTORY


class PlainWork:
    """Recommendations by one call of each model signature per batch, and one of Annoy per request."""

    def __init__(self) -> None:
        import tensorflow as tf  # noqa: PLC0415  after the fork

        bundle = Path(os.environ[BUNDLE_VARIABLE])
        self._constant = tf.constant
        self._model = tf.saved_model.load(str(bundle / MODEL_DIRECTORY))
        self._manifest = read_manifest(bundle)
        self._candidates = np.load(bundle / CANDIDATES_FILE)
        self._annoy = AnnoyIndex(self._candidates.shape[1] + 1, "angular")
        self._annoy.load(str(bundle / INDEX_FILE))
        self._history = {name: np.load(bundle / file) for name, file in HISTORY_ARRAYS.items()}
        text, at = self._history["user_id_bytes"].tobytes(), self._history["user_id_offsets"].tolist()
        self._users = {text[at[row] : at[row + 1]].decode(): row for row in range(len(at) - 1)}
        columns = json.loads((bundle / CATALOGUE_FILE).read_text(encoding="utf-8"))
        self._movies = [
            {
                "movie_id": movie_id,
                "title": title,
                "display_title": display_title(title, year),
                "genres": genres,
                "year": year,
            }
            for movie_id, title, genres, year in zip(
                columns["movie_ids"], columns["titles"], columns["genres"], columns["years"], strict=True
            )
        ]

    def answer(self, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Answer as `work.Work.answer` does."""
        users = [self._users[user_id] for user_id in user_ids]
        tensors = self._encode(users)
        embeddings = self._call("embed_query", tensors)["query_embeddings"]
        found = [self._best(user, query) for user, query in zip(users, embeddings, strict=True)]
        rows = np.array([rows for rows, _ in found], np.int32)
        stars = self._call("predict_rating", tensors | {"candidate_rows": rows})["ratings"]
        return [
            {
                "user_id": user_id,
                "bundle_id": self._manifest.bundle_id,
                "source": "personalized",
                "items": [
                    {
                        "rank": rank,
                        **self._movies[row],
                        "score": score,
                        "rank_score": score,
                        "predicted_rating": rating,
                        "source": "personalized",
                    }
                    for rank, (row, score, rating) in enumerate(
                        zip(best.tolist(), scores.tolist(), ratings.tolist(), strict=True), 1
                    )
                ],
            }
            for user_id, (best, scores), ratings in zip(user_ids, found, stars, strict=True)
        ]

    def _call(self, signature: str, tensors: QueryInputs) -> QueryInputs:
        given = {name: self._constant(value) for name, value in tensors.items()}
        return {name: each.numpy() for name, each in self._model.signatures[signature](**given).items()}

    def _encode(self, users: list[int]) -> QueryInputs:
        """Encode histories truncated to `max_history`."""
        offsets, histories = self._history["offsets"], []
        for user in users:
            end = int(offsets[user + 1])
            at = slice(max(int(offsets[user]), end - self._manifest.max_history), end)
            columns = (self._history[name][at] for name in ("movie_rows", "ratings", "timestamps"))
            histories.append(History(*columns))
        return encode_queries(histories, users)

    def _best(self, user: int, query: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        seen = self._history["movie_rows"][slice(*self._history["offsets"][user : user + 2])]
        wanted = K + len(seen)
        search_k = self._manifest.index.search_k_for(wanted)
        if search_k is None:
            rows = np.arange(len(self._candidates))
        else:
            rows = np.array(self._annoy.get_nns_by_vector([*query.tolist(), 0.0], wanted, search_k))
        rows = np.setdiff1d(rows, seen)
        scores = self._candidates[rows] @ query
        order = np.argsort(-scores, kind="stable")[:K]
        return rows[order], scores[order]
