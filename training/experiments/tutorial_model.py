"""The tutorials' model: two towers of concatenated features, in-batch softmax, a rating head."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.experiments.in_batch_softmax import in_batch_softmax
from training.experiments.titles import Titles
from training.experiments.tutorial_tower import EmbeddingWithUnknown, TutorialTower, uniform_initializer
from training.model.layers import DenseStack, EmbeddingBag


class Losses(NamedTuple):
    """Losses of one batch, scalars: cross-entropy summed over its rows, mean squared error in stars^2."""

    retrieval: tf.Tensor
    rating: tf.Tensor


class TutorialModel(keras.Model):
    """A tutorial's model.

    Of `TrainingConfig` it reads `embedding_dimension` of every feature, `layers` of both towers,
    `time_buckets` (0: no time), `use_content` (title words), `max_title_words`, `rating_layers` of the rating
    head (with a last layer of one), and both weights; a task of weight 0 is not trained.
    """

    def __init__(self, num_users: int, titles: Titles, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dimension = config.embedding_dimension
        of_query = [("user_rows", EmbeddingWithUnknown(num_users, dimension))]
        of_candidate = [("candidate_rows", EmbeddingWithUnknown(len(titles), dimension))]
        if config.time_buckets:
            times = EmbeddingWithUnknown(config.time_buckets + 1, dimension)
            of_query += [("time_rows", times), ("normalized_times", keras.layers.Identity())]
        if config.use_content:
            words = EmbeddingBag(titles.words(config.max_title_words), dimension, stddev=0.0, padded=True)
            words.table.assign(uniform_initializer()(words.table.shape))
            of_candidate.append(("candidate_rows", words))
        self.query_tower = TutorialTower(of_query, config.layers)
        self.candidate_tower = TutorialTower(of_candidate, config.layers)
        self.rating_head = DenseStack((*config.rating_layers, 1))
        self._retrieval_weight, self._rating_weight = config.retrieval_weight, config.rating_weight
        self._titles = len(titles)
        self.build()

    def build(self, input_shape: Any = None) -> None:
        """Create every weight: dense layers take the width of their input from the first call."""
        del input_shape
        row = tf.zeros(1, tf.int32)
        queries = {"user_rows": row, "time_rows": row, "normalized_times": tf.zeros((1, 1))}
        self.rate(self.query_tower(queries), self.embed_titles()[:1])
        self.built = True

    def call(self, batch: dict[str, tf.Tensor]) -> Losses:
        """Compute both losses of one batch of an `Epoch`."""
        queries = self.query_tower(batch)
        candidates = self.candidate_tower(batch)
        retrieval = in_batch_softmax(
            queries, candidates, log_counts=batch["log_counts"], targets=batch["targets"]
        )
        errors = self.rate(queries, tf.gather(candidates, batch["targets"])) - batch["stars"]
        return Losses(retrieval, tf.reduce_mean(errors**2))

    def rate(self, queries: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """Predict stars, float32 `[n]`, not clipped, of pairs of embeddings, float32 `[n, D]`."""
        stars: tf.Tensor = self.rating_head(tf.concat([queries, candidates], axis=1))[:, 0]
        return stars

    def total(self, losses: Losses) -> tf.Tensor:
        """Compute the weighted sum of the losses; a task of weight 0 costs nothing."""
        parts = zip((self._retrieval_weight, self._rating_weight), losses, strict=True)
        return sum(weight * loss for weight, loss in parts if weight)

    def embed_titles(self) -> tf.Tensor:
        """Embed all candidates, float32 `[C, D]`."""
        embeddings: tf.Tensor = self.candidate_tower({"candidate_rows": tf.range(self._titles)})
        return embeddings
