"""Save the trained model as one SavedModel that loads without this code and without Keras."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.learned_variables import track
from service.bundle.saved_model import candidate_specs, query_specs, save
from training.data.table import MovieTable
from training.export.new_movies import NewMovies
from training.model.trained_model import TrainedModel

DEFAULT_TOP_K = 100
"""Movies that `serving_default` returns, or all where there are fewer."""

_QUERY = query_specs()
_NEW = candidate_specs()
_CANDIDATES = {"candidate_rows": tf.TensorSpec([None, None], tf.int32, "candidate_rows")}


class ExactTopK(tf.Module):
    """The signature `serving_default`: the best of all candidates for each user, by brute force.

    It takes `user_ids` (string `[B]`) and returns the best `DEFAULT_TOP_K` for each, nothing excluded:
    `movie_ids` and `titles` (string `[B, k]`) and `scores` (float32 `[B, k]`).

    Args:
        model: All its variables are tracked, so that the SavedModel saves them.
        user_ids: Of the users by row.
        candidates: float32 `[C, D]`, embeddings of the candidates.
        movie_ids, titles: Of the candidates.
        named: Variables to be saved by name, see `service.bundle.learned_variables`; most are the model's.
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
        named: Mapping[str, tf.Variable] | None = None,
    ) -> None:
        super().__init__()
        # Each under one name only: TensorFlow would save what is in both by the other one.
        named = {} if named is None else named
        track(self, named)
        of_names = {id(variable) for variable in named.values()}
        variables = [variable.value for variable in model.variables]
        self._model_variables = [variable for variable in variables if id(variable) not in of_names]
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
    """The signatures that `service.bundle` describes, and `serving_default` for TensorFlow Serving alone.

    It holds the histories of the training users; a cold-start user's is empty.
    """

    def __init__(self, trained: TrainedModel, movies: MovieTable) -> None:
        histories = trained.histories
        super().__init__(
            trained.model,
            user_ids=histories.user_ids,
            candidates=trained.candidate_embeddings,
            movie_ids=movies.movie_ids,
            titles=movies.titles,
            named=_learned(trained),
        )
        self._trained = trained
        self.has_ratings = trained.vocabulary.rating_scale is not None
        self._max_history = trained.config.max_history
        self._new_movies = NewMovies(trained)
        self._movie_biases = tf.Variable(trained.movie_biases, trainable=False)
        self._offsets = tf.Variable(histories.offsets, trainable=False)
        self._movie_rows = tf.Variable(histories.movie_rows, trainable=False)
        self._ratings = tf.Variable(histories.ratings, trainable=False)
        self._timestamps = tf.Variable(histories.timestamps, trainable=False)

    @tf.function(input_signature=list(_QUERY.values()))
    def embed_query(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        inputs = dict(zip(_QUERY, values, strict=True))
        return {"query_embeddings": self._trained.model.embed_query(inputs)}

    @tf.function(input_signature=list(_QUERY.values()))
    def query_state(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        inputs = dict(zip(_QUERY, values, strict=True))
        if not self.has_ratings:
            return {"query_states": self._trained.model.embed_query(inputs)}
        return {"query_states": self._trained.model.query_state(inputs, self._movie_biases)}

    @tf.function(input_signature=list((_QUERY | _CANDIDATES).values()))
    def predict_rating(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        inputs = dict(zip(_QUERY | _CANDIDATES, values, strict=True))
        return {"ratings": self._trained.model.predict_rating(inputs)}

    @tf.function(input_signature=list(_NEW.values()))
    def embed_candidate(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """See `service.bundle`."""
        return self._new_movies.embed(dict(zip(_NEW, values, strict=True)))

    def embed_users(self, user_rows: tf.Tensor) -> tf.Tensor:
        """Embed users with their stored histories, float32 `[B, D]`."""
        return self._trained.model.embed_query(self._stored_queries(user_rows))

    def _stored_queries(self, user_rows: tf.Tensor) -> dict[str, tf.Tensor]:
        known = tf.maximum(user_rows, 0)
        ends = tf.gather(self._offsets, known + 1)
        lengths = tf.minimum(ends - tf.gather(self._offsets, known), self._max_history)
        lengths = tf.where(user_rows == NO_ROW, tf.zeros_like(lengths), lengths)
        at = tf.ragged.range(ends - lengths, ends).flat_values
        return {
            "user_rows": user_rows,
            "timestamps": tf.fill(tf.shape(user_rows), tf.constant(NO_TIMESTAMP, tf.int64)),
            "history_lengths": tf.cast(lengths, tf.int32),
            "history_rows": tf.gather(self._movie_rows, at),
            "history_ratings": tf.gather(self._ratings, at),
            "history_timestamps": tf.gather(self._timestamps, at),
        }


def _learned(trained: TrainedModel) -> dict[str, tf.Variable]:
    """What `FormerBundle` reads back: what was trained, what it was added to, and the names of features."""
    vocabulary = trained.vocabulary
    names = {"content": vocabulary.candidates.names, "user_features": vocabulary.users.names}
    model = trained.model
    return (
        {name: table.variable.value for name, table in model.learned().items()}
        | {f"constant:{name}": constant.value for name, constant in model.constants().items()}
        | {
            f"names:{rows}": tf.Variable(np.array(of, object), trainable=False, dtype=tf.string)
            for rows, of in names.items()
        }
    )


def save_model(trained: TrainedModel, movies: MovieTable, directory: Path) -> None:
    """Write the SavedModel; without `predict_rating` where the model was trained on no ratings.

    Raises:
        OSError: TensorFlow cannot write it.
    """
    module = ServingModel(trained, movies)
    signatures = {
        "query_state": module.query_state,
        "embed_query": module.embed_query,
        "embed_candidate": module.embed_candidate,
        "serving_default": module.top_k,
    }
    if module.has_ratings:
        signatures["predict_rating"] = module.predict_rating
    save(module, directory, signatures)


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that wrote the model, by package name."""
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "annoy": version("annoy"),
    }
