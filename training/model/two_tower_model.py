"""The two-tower model: a query tower and a candidate tower, a retrieval task and a rating task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.model.candidate_tower import CandidateTower
from training.model.history_batch import HistoryBatch
from training.model.kept_weights import kept
from training.model.layers import build_in_first_call
from training.model.learned_tables import LearnedTables
from training.model.query_tower import QueryTower
from training.model.rating_task import RatingTask
from training.model.retrieval_task import RetrievalTask
from training.model.vocabulary import Vocabulary


class TwoTowerModel(keras.Model):
    """Learns retrieval and ratings jointly from batches of `training.model.examples`.

    A score is the dot product of a query and a candidate embedding. The loss is retrieval_weight x
    cross-entropy + rating_weight x mean squared error, both per target, ratings in standard deviations so
    that the weights mean the same on every scale of stars.
    """

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.candidate_tower = CandidateTower(vocabulary, config)
        self.query_tower = QueryTower(vocabulary, config)
        self.rating_task = RatingTask(vocabulary, config)
        self.retrieval_task = RetrievalTask() if config.retrieval_weight else None
        self._trend = None
        if (trend := vocabulary.start.trend) is not None:
            self._trend = tf.constant(trend.log_shares - trend.now)
        self._retrieval_weight, self._rating_weight = config.retrieval_weight, config.rating_weight
        self._retrieval_loss = keras.metrics.Mean("retrieval_loss")
        self._rating_loss = keras.metrics.Mean("rating_loss")
        build_in_first_call(self)

    def call(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Compute both losses of one batch, scalars, by name; retrieval's is 0 where it weighs nothing."""
        history = HistoryBatch.from_inputs(batch)
        candidates = self.candidate_tower(batch["candidate_rows"])
        queries = self._embed(batch, history)
        if self.retrieval_task is None:
            # Every variable that is trained has a gradient.
            retrieval_loss = 0 * tf.reduce_sum(queries) if self.query_tower.trainable else tf.constant(0.0)
        else:  # a softmax over the catalogue is most of a step
            retrieval_loss = self.retrieval_task(
                queries,
                candidates,
                log_sampling=batch["log_sampling"],
                trend=self._trend_of(batch, queries[:, -1:]),
                pairs=batch["retrieval_pairs"],
                weights=batch["retrieval_weights"],
                masked_pairs=batch["masked_pairs"],
            )
        state = self.rating_task.read_queries(batch["user_rows"], history)
        predicted = self.rating_task(state, candidates, batch["candidate_rows"], batch["rating_pairs"])
        errors = predicted - self.rating_task.standardize(batch["ratings"])
        rating_loss = tf.reduce_sum(batch["rating_weights"] * errors**2)
        return {"retrieval": retrieval_loss, "rating": rating_loss}

    def _trend_of(self, batch: dict[str, tf.Tensor], of_bias: tf.Tensor) -> tf.Tensor | None:
        """How popular the columns were at the times of the queries, against now; the tower knows only now.

        `of_bias`, `[B, 1]`, is what queries multiply a candidate's bias with.
        """
        if self._trend is None:
            return None
        of_columns = tf.gather(self._trend, batch["candidate_rows"], axis=1)
        # Nothing learned is in it: without a stop its gradient passes over `[B, K]` twice for nothing.
        return tf.stop_gradient(of_bias) * tf.gather(of_columns, batch["periods"])

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """Compute the weighted sum of both losses, and record them."""
        del x, y, sample_weight, training
        self._retrieval_loss.update_state(y_pred["retrieval"])
        self._rating_loss.update_state(y_pred["rating"])
        return self.total_loss(y_pred)

    def total_loss(self, losses: dict[str, tf.Tensor]) -> tf.Tensor:
        """Weigh both losses, without recording them."""
        return self._retrieval_weight * losses["retrieval"] + self._rating_weight * losses["rating"]

    def embed_query(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Embed queries, float32 `[B, D]`, given the query arguments that `service.bundle` describes."""
        inputs = self._clip_times(inputs)
        return self._embed(inputs, HistoryBatch.from_inputs(inputs))

    def query_state(self, inputs: dict[str, tf.Tensor], movie_biases: tf.Tensor) -> tf.Tensor:
        """Compute all that scores and ratings need of queries, float32 `[B, S]` (see `service.bundle`).

        Args:
            inputs: The query arguments described there.
            movie_biases: float32 `[num_candidates]`, see `RatingTask.read_queries`.
        """
        inputs = self._clip_times(inputs)
        history = HistoryBatch.from_inputs(inputs)
        state = self.rating_task.read_queries(inputs["user_rows"], history, movie_biases)
        rest = tf.stack([state.bias, self.rating_task.confidence(state.num_rated)], axis=1)
        return tf.concat([self._embed(inputs, history), state.vectors, rest], axis=1)

    def predict_rating(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Predict stars, float32 `[B, K]`, of `inputs["candidate_rows"]`, int32 `[B, K]`."""
        rows = inputs["candidate_rows"]
        shape = tf.shape(rows)
        # Each movie is embedded once: of many queries that took gigabytes.
        movies, places = tf.unique(tf.reshape(rows, [-1]))
        pairs = tf.stack([tf.repeat(tf.range(shape[0]), shape[1]), places], axis=1)
        state = self.rating_task.read_queries(inputs["user_rows"], HistoryBatch.from_inputs(inputs))
        predicted = self.rating_task(state, self.candidate_tower(movies), movies, pairs)
        return tf.reshape(self.rating_task.to_stars(predicted), shape)

    def learned(self) -> LearnedTables:
        """Return all that is trained, by name; of a model that has been called once."""
        parts = {
            "query_tower": self.query_tower.learned(),
            "candidate_tower": self.candidate_tower.learned(),
            "rating_task": self.rating_task.learned(),
        }
        return {f"{part}:{name}": table for part, of in parts.items() for name, table in of.items()}

    def constants(self) -> dict[str, keras.Variable]:
        """Return what learned tables were added to or stand beside, by name: factors and time boundaries."""
        return self.query_tower.constants() | {"predicted_factors": self.candidate_tower.factors}

    def freeze_towers(self) -> None:
        """Train the rating task alone, on towers as training begins with them."""
        self.query_tower.trainable = self.candidate_tower.trainable = False

    def keep_shares(self, *, retrieval: float, rating: float) -> None:
        """Keep shares of what both tasks learned, for good; see `keeping`. Above 1 they undo a share."""
        if retrieval != 1:
            self.query_tower.keep_share(retrieval)
            self.candidate_tower.keep_share(retrieval)
        if rating != 1:
            self.rating_task.keep_share(rating)

    @contextmanager
    def keeping(self, *, retrieval: float = 1.0, rating: float = 1.0) -> Iterator[None]:
        """Keep shares of what both tasks learned, and count added factors, until the context ends.

        Weights are interpolated between what training began with, 0, and what it ended with, 1, as in
        Wortsman et al. 2022 (arXiv:2109.01903): what overfits few ratings is still right in its direction.
        """
        changed: list[QueryTower | CandidateTower | RatingTask] = []
        changed += [self.query_tower, self.candidate_tower] if retrieval < 1 else []
        changed += [self.rating_task] if rating < 1 else []
        with (
            kept(table.variable for part in changed for table in part.learned().values()),
            self.query_tower.with_added_factors(),
        ):
            self.keep_shares(retrieval=retrieval, rating=rating)
            yield

    def include_added_factors(self) -> None:
        """Score by factors beside what was learned too: once training has ended."""
        self.query_tower.include_added_factors()

    def _embed(self, inputs: dict[str, tf.Tensor], history: HistoryBatch) -> tf.Tensor:
        deviations = self.rating_task.standardize(history.ratings)
        return self.query_tower(inputs, history, deviations)

    def _clip_times(self, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return inputs | {"timestamps": self.query_tower.clip_times(inputs["timestamps"])}
