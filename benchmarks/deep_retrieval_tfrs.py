"""The model of the deep retrieval tutorial in TFRS 0.7.7, and its epoch times; needs only TFRS installed.

`python deep_retrieval_tfrs.py ROWS.npz EPOCHS FEED` prints the seconds of each epoch of the [64, 32] model as
JSON. FEED is `tutorial`, which shuffles and batches the rows in every epoch, or `cached`, which does so once.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # required by TFRS 0.7.7

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds
import tensorflow_recommenders as tfrs
import tf_keras as keras

DIMENSION, LAYERS, BATCH, BUCKETS, WORDS = 32, (64, 32), 2_048, 1_000, 10_000


def embedding_of(vocabulary: np.ndarray) -> keras.Model:
    """Make an embedding of text, with one row for unknown values."""
    lookup = keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None)
    return keras.Sequential([lookup, keras.layers.Embedding(len(vocabulary) + 1, DIMENSION)])


class Query(keras.Model):
    """Query features: user, time bucket, normalised time."""

    def __init__(self, users: np.ndarray, times: np.ndarray) -> None:
        super().__init__()
        boundaries = np.linspace(times.min(), times.max(), BUCKETS)
        self.user = embedding_of(users)
        self.bucket = keras.Sequential(
            [keras.layers.Discretization(boundaries.tolist()), keras.layers.Embedding(BUCKETS + 1, DIMENSION)]
        )
        self.normalized = keras.layers.Normalization(axis=None)
        self.normalized.adapt(times)

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Concatenate the features."""
        times = inputs["timestamp"]
        parts = [
            self.user(inputs["user_id"]),
            self.bucket(times),
            tf.reshape(self.normalized(tf.cast(times, tf.float32)), (-1, 1)),
        ]
        return tf.concat(parts, axis=1)


class Candidate(keras.Model):
    """Candidate features: title and the mean of its words."""

    def __init__(self, titles: np.ndarray) -> None:
        super().__init__()
        words = keras.layers.TextVectorization(max_tokens=WORDS)
        words.adapt(tf.data.Dataset.from_tensor_slices(titles).batch(128))
        self.title = embedding_of(titles)
        self.words = keras.Sequential(
            [
                words,
                keras.layers.Embedding(WORDS, DIMENSION, mask_zero=True),
                keras.layers.GlobalAveragePooling1D(),
            ]
        )

    def call(self, titles: tf.Tensor) -> tf.Tensor:
        """Concatenate the features."""
        return tf.concat([self.title(titles), self.words(titles)], axis=1)


class DeepRetrieval(tfrs.Model):
    """Both towers with their dense layers, and the retrieval task.

    Args:
        rows: Vocabularies and all times, as `tfrs_environment.write_rows` wrote them.
        layers: Widths of the dense layers of each tower.
        movies: Titles of all movies, among which the metrics look for the watched one; None: no metrics.
    """

    def __init__(
        self,
        rows: dict[str, np.ndarray],
        layers: tuple[int, ...] = LAYERS,
        movies: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.query = keras.Sequential([Query(rows["all_user_ids"], rows["all_timestamps"]), _dense(layers)])
        self.candidate = keras.Sequential([Candidate(rows["all_titles"]), _dense(layers)])
        metrics = None
        if movies is not None:
            candidates = tf.data.Dataset.from_tensor_slices(movies).batch(128).map(self.candidate)
            metrics = tfrs.metrics.FactorizedTopK(candidates=candidates)
        self.task = tfrs.tasks.Retrieval(metrics=metrics)

    def compute_loss(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Compute the in-batch softmax loss."""
        query = self.query({name: features[name] for name in ("user_id", "timestamp")})
        return self.task(query, self.candidate(features["movie_title"]), compute_metrics=not training)


def _dense(layers: tuple[int, ...]) -> keras.Model:
    hidden = [keras.layers.Dense(width, activation="relu") for width in layers[:-1]]
    return keras.Sequential([*hidden, keras.layers.Dense(layers[-1])])


def published_ratings(rows: dict[str, np.ndarray]) -> tf.data.Dataset:
    """Return all ratings in the order of the published split: the first 80 % train."""
    ratings = tfds.builder_from_directory(str(rows["prepared"])).as_dataset(split="train")
    ratings = ratings.map(lambda row: {name: row[name] for name in ("user_id", "timestamp", "movie_title")})
    tf.random.set_seed(42)
    return ratings.shuffle(100_000, seed=42, reshuffle_each_iteration=False)


class Stopwatch(keras.callbacks.Callback):
    """Callback that measures the seconds of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        """Called by Keras."""
        del epoch, logs
        self.seconds.append(-time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Called by Keras."""
        del epoch, logs
        self.seconds[-1] += time.perf_counter()


def main() -> None:
    """Train and print the times."""
    rows, epochs, feed = dict(np.load(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
    model = DeepRetrieval(rows)
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    ratings = published_ratings(rows)
    batches = ratings.take(len(ratings) * 8 // 10).shuffle(100_000).batch(BATCH)
    if feed == "cached":
        batches = batches.cache()
    stopwatch = Stopwatch()
    model.fit(batches, epochs=epochs, verbose=0, callbacks=[stopwatch])
    sys.stdout.write(json.dumps(stopwatch.seconds) + "\n")


if __name__ == "__main__":
    main()
