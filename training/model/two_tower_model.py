"""One model, two towers, two tasks."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.model.layers import FlatHistory
from training.model.tasks import RatingTask, RetrievalTask
from training.model.towers import CandidateTower, QueryTower, Vocabulary


class TwoTowerModel(keras.Model):
    """Learns retrieval and ratings jointly from batches of `training.model.examples`.

    Its loss is retrieval_weight x cross-entropy + rating_weight x mean squared error, both per target,
    ratings in standard deviations so that the weights mean the same on every scale of stars.
    """

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.candidate_tower = CandidateTower(vocabulary, config)
        self.query_tower = QueryTower(vocabulary, config)
        self.rating_task = RatingTask(vocabulary, config)
        self.retrieval_task = RetrievalTask()
        self._retrieval_weight, self._rating_weight = config.retrieval_weight, config.rating_weight
        self._retrieval_loss = keras.metrics.Mean("retrieval_loss")
        self._rating_loss = keras.metrics.Mean("rating_loss")

    def call(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Both losses of one batch, scalars, by name."""
        history = FlatHistory.from_inputs(batch)
        candidates = self.candidate_tower(batch["candidate_rows"])
        retrieval_loss = self.retrieval_task(
            self.embed_flat(batch, history),
            candidates,
            log_sampling=batch["log_sampling"],
            pairs=batch["retrieval_pairs"],
            weights=batch["retrieval_weights"],
            masked_pairs=batch["masked_pairs"],
        )
        taste = self.rating_task.taste(batch["user_rows"], history)
        predicted = self.rating_task(taste, candidates, batch["candidate_rows"], batch["rating_pairs"])
        errors = predicted - self.rating_task.standardize(batch["ratings"])
        return {"retrieval": retrieval_loss, "rating": tf.reduce_mean(errors**2)}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """The weighted sum of both losses."""
        del x, y, sample_weight, training
        self._retrieval_loss.update_state(y_pred["retrieval"])
        self._rating_loss.update_state(y_pred["rating"])
        return self._retrieval_weight * y_pred["retrieval"] + self._rating_weight * y_pred["rating"]

    def embed_flat(self, inputs: dict[str, tf.Tensor], history: FlatHistory) -> tf.Tensor:
        """Query embeddings, float32 `[B, D]`, of inputs whose histories have been flattened."""
        deviations = self.rating_task.standardize(history.ratings)
        embeddings: tf.Tensor = self.query_tower(inputs, history, deviations)
        return embeddings

    def embed_query(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Query embeddings, float32 `[B, D]`, of the inputs that `service.bundle` describes."""
        inputs = inputs | {"timestamps": self.query_tower.clip_times(inputs["timestamps"])}
        return self.embed_flat(inputs, FlatHistory.from_inputs(inputs))

    def query_state(self, inputs: dict[str, tf.Tensor], movie_biases: tf.Tensor) -> tf.Tensor:
        """All that answers to queries rest on, float32 `[B, S]`, as `service.bundle` describes it.

        Args:
            inputs: As described there.
            movie_biases: float32 `[num_candidates]`, see `RatingTask.taste`.
        """
        inputs = inputs | {"timestamps": self.query_tower.clip_times(inputs["timestamps"])}
        history = FlatHistory.from_flat_inputs(inputs)
        taste = self.rating_task.taste(inputs["user_rows"], history, movie_biases)
        rest = tf.stack([taste.bias, self.rating_task.confidence(taste.num_rated)], axis=1)
        return tf.concat([self.embed_flat(inputs, history), taste.vectors, rest], axis=1)

    def predict_rating(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Stars, float32 `[B, K]`, for `inputs["candidate_rows"]`, int32 `[B, K]`."""
        rows = inputs["candidate_rows"]
        shape = tf.shape(rows)
        flat = tf.reshape(rows, [-1])
        pairs = tf.stack([tf.repeat(tf.range(shape[0]), shape[1]), tf.range(tf.size(flat))], axis=1)
        taste = self.rating_task.taste(inputs["user_rows"], FlatHistory.from_inputs(inputs))
        predicted = self.rating_task(taste, self.candidate_tower(flat), flat, pairs)
        return tf.reshape(self.rating_task.to_stars(predicted), shape)
