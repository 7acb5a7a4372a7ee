"""The trained model as one SavedModel that needs neither this code nor Keras to be loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.saved_model import query_specs, save
from training.data.table import MovieTable
from training.model.fitting import TrainedModel

DEFAULT_TOP_K = 100
"""How many movies `serving_default` returns, or all where there are fewer."""

_QUERY = {
    "user_rows": tf.TensorSpec([None], tf.int32, "user_rows"),
    "timestamps": tf.TensorSpec([None], tf.int64, "timestamps"),
    "history_rows": tf.TensorSpec([None, None], tf.int32, "history_rows"),
    "history_ratings": tf.TensorSpec([None, None], tf.float32, "history_ratings"),
    "history_timestamps": tf.TensorSpec([None, None], tf.int64, "history_timestamps"),
}
_FLAT_QUERY = query_specs()
_CANDIDATES = {"candidate_rows": tf.TensorSpec([None, None], tf.int32, "candidate_rows")}


class ExactTopK(tf.Module):
    """The signature `serving_default`: users in, the best of all candidates out, by brute force.

    It takes `user_ids` (string `[B]`) and returns the best `DEFAULT_TOP_K` for each, nothing excluded:
    `movie_ids` and `titles` (string `[B, k]`) and `scores` (float32 `[B, k]`).

    Args:
        model: Kept with all its variables, of which a SavedModel saves those that its root reaches.
        user_ids: Of the users by row.
        candidates: float32 `[C, D]`, embeddings of the candidates.
        movie_ids, titles: Of the candidates.
    """

    embed_users: Callable[[tf.Tensor], tf.Tensor]
    """A method of each subclass: query embeddings, float32 `[B, D]`, of users by row, int32 `[B]`."""

    def __init__(
        self,
        model: keras.Model,
        *,
        user_ids: Sequence[str],
        candidates: NDArray[np.float32],
        movie_ids: Sequence[str],
        titles: Sequence[str],
    ) -> None:
        super().__init__()
        self._model_variables = [variable.value for variable in model.variables]
        self._users = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(user_ids, tf.string), tf.range(len(user_ids), dtype=tf.int32)
            ),
            default_value=NO_ROW,
        )
        self._embeddings = tf.Variable(candidates, trainable=False)
        self._movie_ids = tf.Variable(np.array(movie_ids, object), trainable=False, dtype=tf.string)
        self._titles = tf.Variable(np.array(titles, object), trainable=False, dtype=tf.string)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "user_ids")])
    def top_k(self, user_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        """`serving_default`."""
        scores = tf.matmul(self.embed_users(self._users.lookup(user_ids)), self._embeddings, transpose_b=True)
        best = tf.math.top_k(scores, min(DEFAULT_TOP_K, self._embeddings.shape[0]))
        return {
            "movie_ids": tf.gather(self._movie_ids, best.indices),
            "titles": tf.gather(self._titles, best.indices),
            "scores": best.values,
        }


class ServingModel(ExactTopK):
    """The signatures that `service.bundle` describes, and one for TensorFlow Serving alone.

    Histories of the training users stay ragged inside; a stranger's is empty.
    """

    def __init__(self, trained: TrainedModel, movies: MovieTable) -> None:
        histories = trained.histories
        super().__init__(
            trained.model,
            user_ids=histories.user_ids,
            candidates=trained.embed_candidates(),
            movie_ids=movies.movie_ids,
            titles=movies.titles,
        )
        self._trained = trained
        self._max_history = trained.config.max_history
        self._movie_biases = tf.Variable(trained.movie_biases(), trainable=False)
        self._offsets = tf.Variable(histories.offsets, trainable=False)
        self._movie_rows = tf.Variable(histories.movie_rows, trainable=False)
        self._ratings = tf.Variable(histories.ratings, trainable=False)
        self._timestamps = tf.Variable(histories.timestamps, trainable=False)

    @tf.function(input_signature=list(_QUERY.values()))
    def embed_query(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        inputs = dict(zip(_QUERY, values, strict=True))
        return {"query_embeddings": self._trained.model.embed_query(inputs)}

    @tf.function(input_signature=list(_FLAT_QUERY.values()))
    def query_state(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        inputs = dict(zip(_FLAT_QUERY, values, strict=True))
        return {"query_states": self._trained.model.query_state(inputs, self._movie_biases)}

    @tf.function(input_signature=list((_QUERY | _CANDIDATES).values()))
    def predict_rating(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        inputs = dict(zip(_QUERY | _CANDIDATES, values, strict=True))
        return {"ratings": self._trained.model.predict_rating(inputs)}

    def embed_users(self, user_rows: tf.Tensor) -> tf.Tensor:
        """Of users with all of their stored history, float32 `[B, D]`."""
        return self._trained.model.embed_query(self._stored_queries(user_rows))

    def _stored_queries(self, user_rows: tf.Tensor) -> dict[str, tf.Tensor]:
        known = tf.maximum(user_rows, 0)
        ends = tf.gather(self._offsets, known + 1)
        lengths = tf.minimum(ends - tf.gather(self._offsets, known), self._max_history)
        lengths = tf.where(user_rows == NO_ROW, tf.zeros_like(lengths), lengths)
        at = tf.ragged.range(ends - lengths, ends)

        def padded(values: tf.Variable, padding: float) -> tf.Tensor:
            ragged = tf.RaggedTensor.from_row_splits(tf.gather(values, at.flat_values), at.row_splits)
            return ragged.to_tensor(tf.constant(padding, values.dtype))

        return {
            "user_rows": user_rows,
            "timestamps": tf.fill(tf.shape(user_rows), tf.constant(NO_TIMESTAMP, tf.int64)),
            "history_rows": padded(self._movie_rows, NO_ROW),
            "history_ratings": padded(self._ratings, np.nan),
            "history_timestamps": padded(self._timestamps, NO_TIMESTAMP),
        }


def save_model(trained: TrainedModel, movies: MovieTable, directory: Path) -> None:
    """Write the SavedModel.

    Raises:
        OSError: TensorFlow cannot write it.
    """
    module = ServingModel(trained, movies)
    signatures = {
        "query_state": module.query_state,
        "embed_query": module.embed_query,
        "predict_rating": module.predict_rating,
        "serving_default": module.top_k,
    }
    save(module, directory, signatures)


def library_versions() -> dict[str, str]:
    """What wrote the model, by package name."""
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "annoy": version("annoy"),
    }
