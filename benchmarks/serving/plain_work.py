"""Straightforward recommendations from a bundle by numpy and Annoy, without this service's code."""

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
from service.bundle.query_encoding import encode_queries
from service.bundle.rating_head import RATING_ARRAYS, RATING_HEAD_FILE
from service.bundle.saved_model import MODEL_DIRECTORY
from service.bundle.stored_states import STATES_FILE

_States = NDArray[np.float32]


class PlainWork:
    """Lists of known users: their query states, one query of Annoy for each, and ratings, in numpy.

    What the service does for a user whose list is not cached, and no more than that: the states are read of
    the bundle, where it has them, and otherwise computed by TensorFlow, one call for a batch. Of Annoy it
    asks ten movies besides those seen, the service 32, so that pages fit together. Nothing else is checked or
    looked up.
    """

    def __init__(self) -> None:
        bundle = Path(os.environ[BUNDLE_VARIABLE])
        self._manifest = read_manifest(bundle)
        self._candidates = np.load(bundle / CANDIDATES_FILE)
        self._annoy = AnnoyIndex(self._candidates.shape[1] + 1, "angular")
        self._annoy.load(str(bundle / INDEX_FILE))
        self._history = {name: np.load(bundle / file) for name, file in HISTORY_ARRAYS.items()}
        text, at = self._history["user_id_bytes"].tobytes(), self._history["user_id_offsets"].tolist()
        self._users = {text[at[row] : at[row + 1]].decode(): row for row in range(len(at) - 1)}
        self._rating = {name: np.load(bundle / file) for name, file in RATING_ARRAYS.items()}
        self._head = json.loads((bundle / RATING_HEAD_FILE).read_text(encoding="utf-8"))
        self._layers = [
            (np.array(each["kernel"], np.float32), np.array(each["bias"], np.float32))
            for each in self._head["layers"]
        ]
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
        self._stored = self._model = None
        if (bundle / STATES_FILE).exists():
            self._stored = np.load(bundle / STATES_FILE)
        else:
            import tensorflow as tf  # noqa: PLC0415  after the fork

            self._constant, self._model = tf.constant, tf.saved_model.load(str(bundle / MODEL_DIRECTORY))

    def answer(self, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Answer as `work.Work.answer` does."""
        users = [self._users[user_id] for user_id in user_ids]
        states = self._compute(users) if self._stored is None else self._stored[users]
        found = [self._best(user, state) for user, state in zip(users, states, strict=True)]
        stars = self._predict(states, np.array([rows for rows, _ in found]))
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

    def _compute(self, users: list[int]) -> _States:
        """Query states of histories truncated to `max_history`, by the model."""
        assert self._model is not None  # noqa: S101 of a bundle without states
        offsets, histories = self._history["offsets"], []
        for user in users:
            end = int(offsets[user + 1])
            at = slice(max(int(offsets[user]), end - self._manifest.max_history), end)
            columns = (self._history[name][at] for name in ("movie_rows", "ratings", "timestamps"))
            histories.append(History(*columns))
        given = {name: self._constant(value) for name, value in encode_queries(histories, users).items()}
        states: _States = self._model.signatures["query_state"](**given)["query_states"].numpy()
        return states

    def _best(self, user: int, state: _States) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        query = state[: self._candidates.shape[1]]
        seen = self._history["movie_rows"][slice(*self._history["offsets"][user : user + 2])]
        wanted = K + len(seen)
        search_k = self._manifest.index.search_k_for(wanted)
        if search_k is None:
            rows = np.arange(len(self._candidates))
        else:
            rows = np.array(self._annoy.get_nns_by_vector([*query.tolist(), 0.0], wanted, search_k))
        is_new = np.ones(len(self._candidates), bool)
        is_new[seen] = False
        rows = rows[is_new[rows]]
        scores = self._candidates[rows] @ query
        order = np.argsort(-scores, kind="stable")[:K]
        return rows[order], scores[order]

    def _predict(self, states: _States, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Stars of candidate rows `[B, K]`, by the formula of `service.bundle.rating_head`."""
        query = states[:, self._candidates.shape[1] :, np.newaxis]
        query_bias, query_confidence = (np.broadcast_to(query[:, place], rows.shape) for place in (-2, -1))
        movie_bias = self._rating["biases"][rows]
        products = (self._rating["vectors"][rows] @ query[:, :-2])[:, :, 0]
        predicted = query_bias + movie_bias + products
        if self._layers:
            confidences = self._rating["confidences"][rows]
            values = np.stack([query_bias, movie_bias, products, confidences, query_confidence], axis=-1)
            for kernel, bias in self._layers[:-1]:
                values = np.maximum(values @ kernel + bias, 0)
            kernel, bias = self._layers[-1]
            predicted = predicted + (values @ kernel + bias)[:, :, 0]
        stars: NDArray[np.float32] = self._head["mean_stars"] + self._head["spread_stars"] * predicted
        return np.clip(stars, *self._manifest.rating_scale or (None, None))
