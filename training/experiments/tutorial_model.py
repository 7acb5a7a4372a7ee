"""The tutorials' model: two towers of concatenated features, in-batch softmax, a rating head."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.experiments.titles import Titles
from training.model.layers import DenseStack, EmbeddingBag, OpenEmbedding
from training.model.tasks import RetrievalTask
from training.model.towers import PlainTower

# As spread as Keras's default for embeddings, uniform from -0.05 to 0.05.
_STDDEV = 0.05 / 3**0.5


class Losses(NamedTuple):
    """Of one batch, scalars: cross-entropy summed over its rows, mean squared error in stars^2."""

    retrieval: tf.Tensor
    rating: tf.Tensor


class TutorialModel(keras.Model):
    """The model that a configuration describes.

    Of `TrainingConfig` it reads `embedding_dimension` of every feature, `layers` of both towers,
    `time_buckets` (0: no time), `use_content` (title words), `max_title_words`, `rating_layers` of the rating
    head (with a last layer of one), and both weights; a task of weight 0 is not trained.
    """

    def __init__(self, num_users: int, titles: Titles, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dimension = config.embedding_dimension
        of_query = [("user_rows", OpenEmbedding(num_users, dimension, _STDDEV))]
        of_candidate = [("candidate_rows", OpenEmbedding(len(titles), dimension, _STDDEV))]
        if config.time_buckets:
            times = OpenEmbedding(config.time_buckets + 1, dimension, _STDDEV)
            of_query += [("time_rows", times), ("normalized_times", keras.layers.Identity())]
        if config.use_content:
            words = EmbeddingBag(titles.words(config.max_title_words), dimension, _STDDEV, padded=True)
            of_candidate.append(("candidate_rows", words))
        self.query_tower = PlainTower(of_query, config.layers, concatenated=True)
        self.candidate_tower = PlainTower(of_candidate, config.layers, concatenated=True)
        self.retrieval_task = RetrievalTask()
        self.rating_head = DenseStack((*config.rating_layers, 1))
        self._retrieval_weight, self._rating_weight = config.retrieval_weight, config.rating_weight
        self._titles = len(titles)
        self.build()

    def build(self, input_shape: Any = None) -> None:
        """Makes every weight: dense layers learn the width of their input from the first row they see."""
        del input_shape
        row = tf.zeros(1, tf.int32)
        queries = {"user_rows": row, "time_rows": row, "normalized_times": tf.zeros((1, 1))}
        self.rate(self.query_tower(queries), self.embed_titles()[:1])
        self.built = True

    def call(self, batch: dict[str, tf.Tensor]) -> Losses:
        """Both losses of one batch of an `Epoch`."""
        queries = self.query_tower(batch)
        candidates = self.candidate_tower(batch)
        retrieval = self.retrieval_task.one_target_each(
            queries, candidates, log_counts=batch["log_counts"], targets=batch["targets"]
        )
        errors = self.rate(queries, tf.gather(candidates, batch["targets"])) - batch["stars"]
        return Losses(retrieval, tf.reduce_mean(errors**2))

    def rate(self, queries: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """Stars, float32 `[n]`, of pairs of embeddings, float32 `[n, D]`; not clipped to the scale."""
        stars: tf.Tensor = self.rating_head(tf.concat([queries, candidates], axis=1))[:, 0]
        return stars

    def total(self, losses: Losses) -> tf.Tensor:
        """The weighted sum; a task of weight 0 costs nothing."""
        parts = zip((self._retrieval_weight, self._rating_weight), losses, strict=True)
        return sum(weight * loss for weight, loss in parts if weight)

    def embed_titles(self) -> tf.Tensor:
        """Embeddings of all candidates, float32 `[C, D]`."""
        embeddings: tf.Tensor = self.candidate_tower({"candidate_rows": tf.range(self._titles)})
        return embeddings
