"""The rating task: how many stars a user gives a movie."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from training.config import TrainingConfig
from training.model.history_batch import HistoryBatch
from training.model.layers import (
    EmbeddingBag,
    build_in_first_call,
    constant_weight,
    embedding_table,
    gather_sum,
)
from training.model.learned_tables import LearnedTable, LearnedTables, Rows, wholes
from training.model.new_content import NewContent
from training.model.row_blocks import scale_rows
from training.model.vocabulary import Vocabulary


class RatingState(NamedTuple):
    """What the rating task reads from `B` queries.

    Attributes:
        vectors: float32 `[B, rating_dimension]`, multiplied with those of movies.
        bias: float32 `[B]`, how far above the mean the user rates, in standard deviations.
        num_rated: float32 `[B]`, movies of the history that are rated.
    """

    vectors: tf.Tensor
    bias: tf.Tensor
    num_rated: tf.Tensor


class RatingTask(keras.layers.Layer):
    """Biases, a dot product and a small MLP over them, in standard deviations from the mean rating.

    Nothing here depends on the user's id, only on features and history: an embedding per user fitted the
    training rows better and held-out rows worse. A user's bias is read from the history, shrunk as in Koren
    et al. 2009 (doi 10.1109/MC.2009.263): sum of (rating - mean - movie's bias) / (number + lambda), lambda
    learned. The vector is an asymmetric factor model's (Koren 2008, doi 10.1145/1401890.1401944, section 4):
    each movie of the history adds its presence embedding, and its preference embedding times the residual of
    its rating. The movie's vector is a projection of the candidate tower, which both tasks share, plus one of
    its own, for what is watched alike need not be rated alike.
    """

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        count, dimension = vocabulary.num_candidates, config.rating_dimension
        self._mean, self._spread = vocabulary.mean_rating, vocabulary.rating_spread
        self._low, self._high = vocabulary.rating_scale or (0.0, 0.0)
        # The order in which layers are created decides which initial weights a seed gives them.
        self._movie_bias = self.add_weight(name="movie_bias", shape=(count,), initializer="zeros")
        self._initial_bias = constant_weight(self, "initial_movie_bias", vocabulary.start.movie_biases)
        self._content_bias = EmbeddingBag(vocabulary.candidates, 1, 0.0) if config.use_content else None
        self._feature_bias = EmbeddingBag(vocabulary.users, 1, 0.0, padded=True)
        self._features = EmbeddingBag(vocabulary.users, dimension, 0.01, padded=True)
        self._use_history = config.use_history
        self._initial_log_shrinkage = float(np.log(config.user_bias_regularization))
        if config.use_history:
            self._log_shrinkage = self.add_weight(
                name="log_shrinkage",
                shape=(),
                initializer=keras.initializers.Constant(self._initial_log_shrinkage),
            )
            self._presence = embedding_table(self, "presence", count, dimension, 0.02)
            self._preference = embedding_table(self, "preference", count, dimension, 0.05)
        # Before it are added factors, which the towers did not learn.
        self._first_column = vocabulary.start.added_predicted.shape[1]
        self._candidate_projection = keras.layers.Dense(dimension, use_bias=False)
        self._log_counts = constant_weight(self, "log_counts", np.log1p(vocabulary.candidate_counts))
        self._hidden = [keras.layers.Dense(width, activation="relu") for width in config.rating_layers]
        self._correction = keras.layers.Dense(1, kernel_initializer="zeros") if config.rating_layers else None
        self._vectors = embedding_table(self, "vectors", count, dimension, 0.02)
        build_in_first_call(self)

    def standardize(self, stars: tf.Tensor) -> tf.Tensor:
        """Convert stars to standard deviations from the mean; 0 where not rated (NaN)."""
        return tf.where(tf.math.is_nan(stars), 0.0, (stars - self._mean) / self._spread)

    def keep_share(self, share: float) -> None:
        """Keep a share of what was learned, from 0, biases alone, to 1, all; see `TwoTowerModel.keeping`.

        Predictions are linear in the share but for the shrinkage and the MLP.
        """
        for bag in (self._content_bias, self._feature_bias, self._features):
            if bag is not None:
                scale_rows(bag.table, share)
        scale_rows(self._movie_bias, share)
        if self._use_history:
            learned = self._log_shrinkage - self._initial_log_shrinkage
            self._log_shrinkage.assign(self._initial_log_shrinkage + share * learned)
            scale_rows(self._presence, share)
            scale_rows(self._preference, share)
        if self._correction is not None:
            for weight in self._correction.weights:
                weight.assign(share * weight)

    def learned(self) -> LearnedTables:
        """Return what is trained, by name."""
        found = {
            "movie_bias": LearnedTable(Rows.CANDIDATES, self._movie_bias),
            "feature_bias": LearnedTable(Rows.USER_FEATURES, self._feature_bias.table),
            "features": LearnedTable(Rows.USER_FEATURES, self._features.table),
            "vectors": LearnedTable(Rows.CANDIDATES, self._vectors),
        }
        if self._content_bias is not None:
            found["content_bias"] = LearnedTable(Rows.CONTENT, self._content_bias.table)
        if self._use_history:
            found["log_shrinkage"] = LearnedTable(Rows.NONE, self._log_shrinkage)
            found["presence"] = LearnedTable(Rows.CANDIDATES, self._presence)
            found["preference"] = LearnedTable(Rows.CANDIDATES, self._preference)
        return found | wholes("dense", [self._candidate_projection, *self.correction_layers()])

    @property
    def mean_and_spread(self) -> tuple[float, float]:
        """Mean and standard deviation of the training ratings, in stars."""
        return self._mean, self._spread

    def to_stars(self, standardized: tf.Tensor) -> tf.Tensor:
        """Convert standard deviations from the mean to stars, clipped to the scale."""
        return tf.clip_by_value(self._mean + self._spread * standardized, self._low, self._high)

    def movie_bias(self, movie_rows: tf.Tensor) -> tf.Tensor:
        """Compute how far above the mean each movie is rated, float32 `[n]`."""
        bias = gather_sum(self._movie_bias, self._initial_bias, movie_rows)
        return bias if self._content_bias is None else bias + self._content_bias(movie_rows)[:, 0]

    def content_bias(self, content: NewContent) -> tf.Tensor:
        """Compute the part of `movie_bias` that content says of movies without a row, float32 `[n]`."""
        if self._content_bias is None:
            return tf.zeros(tf.stack([content.count]))
        return content.sum_in(self._content_bias)[:, 0]

    def read_queries(
        self, user_rows: tf.Tensor, history: HistoryBatch, movie_biases: tf.Tensor | None = None
    ) -> RatingState:
        """Read queries into what ratings are predicted from.

        Args:
            user_rows: int32 `[B]`.
            history: Of the same queries.
            movie_biases: float32 `[num_candidates]`, `movie_bias` of all movies, computed before; None:
                computed here, as training needs it.
        """
        vectors = self._features(user_rows)
        bias = self._feature_bias(user_rows)[:, 0]
        rated = tf.cast(~tf.math.is_nan(history.ratings), tf.float32)
        num_rated = history.sum(rated)
        if self._use_history:
            rows = history.movie_rows
            biases = self.movie_bias(rows) if movie_biases is None else tf.gather(movie_biases, rows)
            residuals = rated * (self.standardize(history.ratings) - biases)
            history_bias = history.sum(residuals) / (num_rated + tf.exp(self._log_shrinkage.value))
            bias += history_bias
            residuals -= rated * tf.gather(history_bias, history.queries)
            presence = tf.gather(self._presence.value, rows)
            preference = tf.gather(self._preference.value, rows)
            total = history.sum(presence + residuals[:, None] * preference)
            length = history.sum(tf.ones_like(rated))
            vectors += total / tf.sqrt(length + 1)[:, None]
        return RatingState(vectors, bias, num_rated)

    def confidence(self, counts: tf.Tensor) -> tf.Tensor:
        """Convert numbers of ratings to an input of the MLP, float32."""
        return tf.math.log1p(counts) / 5

    def vectors_of(self, candidates: tf.Tensor, candidate_rows: tf.Tensor) -> tf.Tensor:
        """Compute the movies' vectors, float32 `[K, rating_dimension]`.

        Args:
            candidates: float32 `[K, D]`, from the candidate tower.
            candidate_rows: int32 `[K]`, the same movies.
        """
        return self.project(candidates) + tf.gather(self._vectors.value, candidate_rows)

    def project(self, candidates: tf.Tensor) -> tf.Tensor:
        """Compute the part of `vectors_of` that movies without a row have too."""
        return self._candidate_projection(candidates[:, self._first_column :])

    def candidate_confidence(self, candidate_rows: tf.Tensor) -> tf.Tensor:
        """Return `confidence` of movies, int32 `[K]`, by their training ratings."""
        return tf.gather(self._log_counts.value, candidate_rows) / 5

    def correction_layers(self) -> list[keras.layers.Dense]:
        """Return the layers of the MLP over biases, dot product and confidences; empty where it has none."""
        return [] if self._correction is None else [*self._hidden, self._correction]

    def call(
        self, state: RatingState, candidates: tf.Tensor, candidate_rows: tf.Tensor, pairs: tf.Tensor
    ) -> tf.Tensor:
        """Predict ratings in standard deviations from the mean, float32 `[R]`.

        Args:
            state: Of `B` queries.
            candidates: float32 `[K, D]`, from the candidate tower.
            candidate_rows: int32 `[K]`, the same movies.
            pairs: int32 `[R, 2]`, (query, column).
        """
        at_query, at_candidate = pairs[:, 0], pairs[:, 1]
        vectors = self.vectors_of(candidates, candidate_rows)
        dot = tf.reduce_sum(tf.gather(state.vectors, at_query) * tf.gather(vectors, at_candidate), axis=1)
        user_bias = tf.gather(state.bias, at_query)
        movie_bias = tf.gather(self.movie_bias(candidate_rows), at_candidate)
        predicted = user_bias + movie_bias + dot
        if self._correction is None:
            return predicted
        of_candidates = tf.gather(self.candidate_confidence(candidate_rows), at_candidate)
        of_queries = tf.gather(self.confidence(state.num_rated), at_query)
        values = tf.stack([user_bias, movie_bias, dot, of_candidates, of_queries], axis=1)
        for layer in self._hidden:
            values = layer(values)
        return predicted + self._correction(values)[:, 0]
