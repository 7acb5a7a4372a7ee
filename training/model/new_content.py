"""Content of movies that the model was not trained on, within the model's graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from service.bundle import NO_ROW
from training.model.features import FeatureBags
from training.model.layers import EmbeddingBag


class NewContent(NamedTuple):
    """Bags of features of `count` movies, as `features.candidate_content` builds them.

    Attributes:
        rows: int32 `[n]`, rows of a bag's table.
        weights: float32 `[n]`.
        owners: int32 `[n]`, whose each is.
        count: int32 scalar.
    """

    rows: tf.Tensor
    weights: tf.Tensor
    owners: tf.Tensor
    count: tf.Tensor

    @classmethod
    def of_bags(cls, bags: FeatureBags) -> NewContent:
        """The content of the movies that a model was trained with."""
        owners, places = np.nonzero(bags.rows != NO_ROW)
        return cls(
            tf.constant(bags.rows[owners, places], tf.int32),
            tf.constant(bags.weights[owners, places], tf.float32),
            tf.constant(owners, tf.int32),
            tf.constant(len(bags.rows), tf.int32),
        )

    def sum_in(self, bag: EmbeddingBag) -> tf.Tensor:
        """Sum the embeddings that a bag of the same features has, float32 `[count, dimension]`."""
        return bag.sum_of(self.rows, self.weights, self.owners, self.count)


class ContentNames(tf.Module):
    """Finds features by name.

    Args:
        names: Of the rows of `FeatureBags`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        # No feature has an empty name; a table must not be empty.
        keys, rows = ["", *names], [NO_ROW, *range(len(names))]
        self._rows = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys, tf.string), tf.constant(rows, tf.int32)),
            default_value=NO_ROW,
        )

    def find(self, inputs: Mapping[str, tf.Tensor]) -> NewContent:
        """Find the content of movies, as `service.bundle.candidate_encoding` encodes them."""
        years = inputs["years"]
        count = tf.shape(years)[0]
        every, dated = tf.range(count), tf.where(years > 0)[:, 0]
        owner_of_year = tf.gather(every, dated)
        known_years = tf.gather(years, dated)
        groups = [
            (["word:", inputs["title_words"]], tf.repeat(every, inputs["title_word_counts"])),
            (["genre:", inputs["genres"]], tf.repeat(every, inputs["genre_counts"])),
            (["year:", tf.strings.as_string(known_years)], owner_of_year),
            (["half-decade:", tf.strings.as_string(known_years // 5 * 5)], owner_of_year),
        ]
        parts = [self._group(tf.strings.join(names), owners, count) for names, owners in groups]
        rows, weights, owners = (tf.concat(each, axis=0) for each in zip(*parts, strict=True))
        return NewContent(rows, weights, owners, count)

    def _group(
        self, names: tf.Tensor, owners: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Known ones of a group, each weighing 1 / sqrt(how many are known of the same owner)."""
        found = self._rows.lookup(names)
        known = found != NO_ROW
        rows, of = tf.boolean_mask(found, known), tf.boolean_mask(owners, known)
        sizes = tf.math.unsorted_segment_sum(tf.ones_like(rows, tf.float32), of, count)
        return rows, tf.math.rsqrt(tf.gather(sizes, of)), of
