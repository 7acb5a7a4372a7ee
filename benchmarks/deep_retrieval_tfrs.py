"""Epoch times of the [64, 32] model of the deep retrieval tutorial in TFRS; needs only TFRS installed.

`python deep_retrieval_tfrs.py ROWS.npz EPOCHS FEED` prints the seconds of each epoch as JSON. FEED is
`tutorial`, which shuffles and batches the rows in every epoch, or `cached`, which does so once.
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
    """Both towers with their dense layers, and the retrieval task without metrics."""

    def __init__(self, users: np.ndarray, times: np.ndarray, titles: np.ndarray) -> None:
        super().__init__()
        self.query = keras.Sequential([Query(users, times), self._dense()])
        self.candidate = keras.Sequential([Candidate(titles), self._dense()])
        self.task = tfrs.tasks.Retrieval()

    def compute_loss(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Compute the in-batch softmax loss."""
        del training
        query = self.query({name: features[name] for name in ("user_id", "timestamp")})
        return self.task(query, self.candidate(features["movie_title"]), compute_metrics=False)

    @staticmethod
    def _dense() -> keras.Model:
        hidden = [keras.layers.Dense(width, activation="relu") for width in LAYERS[:-1]]
        return keras.Sequential([*hidden, keras.layers.Dense(LAYERS[-1])])


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
    rows, epochs, feed = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    times = rows["all_timestamps"].astype(np.float32)
    model = DeepRetrieval(rows["all_user_ids"], times, rows["all_titles"])
    model.compile(optimizer=keras.optimizers.Adagrad(0.1))
    ratings = tfds.builder_from_directory(str(rows["prepared"])).as_dataset(split="train")
    ratings = ratings.map(lambda row: {name: row[name] for name in ("user_id", "timestamp", "movie_title")})
    shuffled = ratings.shuffle(100_000, seed=42, reshuffle_each_iteration=False)
    batches = shuffled.take(len(ratings) * 8 // 10).shuffle(100_000).batch(BATCH)
    if feed == "cached":
        batches = batches.cache()
    stopwatch = Stopwatch()
    model.fit(batches, epochs=epochs, verbose=0, callbacks=[stopwatch])
    sys.stdout.write(json.dumps(stopwatch.seconds) + "\n")


if __name__ == "__main__":
    main()
