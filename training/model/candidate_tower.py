"""The candidate tower: movies to embeddings."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.model.layers import (
    DenseStack,
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


class CandidateTower(keras.layers.Layer):
    """Movie id, title words, genres and year to float32 `[K, added_factors + dimension + 1]`.

    The last column is a bias: the log of the movie's popularity and a learned correction.
    """

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        count, dimension = vocabulary.num_candidates, config.embedding_dimension
        # The order in which layers are created decides which initial weights a seed gives them.
        self._stack = DenseStack(config.layers)
        start = vocabulary.start
        self._ids = embedding_table(self, "ids", count, dimension, 0.05)
        self._factors = constant_weight(self, "factors", start.predicted_factors)
        self._content = EmbeddingBag(vocabulary.candidates, dimension, 0.02) if config.use_content else None
        self._bias = self.add_weight(name="bias", shape=(count,), initializer="zeros")
        self._num_added = start.added_predicted.shape[1]
        self._added = None
        if self._num_added:
            self._added = constant_weight(self, "added_factors", start.added_predicted)
        # Beside the learned bias, which weight decay draws to zero, not to this.
        self._popularity = constant_weight(self, "popularity", start.popularity)
        build_in_first_call(self)

    def call(self, candidate_rows: tf.Tensor) -> tf.Tensor:
        """Embed movies, int32 `[K]`."""
        values = gather_sum(self._ids, self._factors, candidate_rows)
        if self._content is not None:
            values += self._content(candidate_rows)
        bias = gather_sum(self._bias, self._popularity, candidate_rows)
        columns = [self._stack(values), bias[:, None]]
        if self._added is not None:
            columns.insert(0, tf.gather(self._added.value, candidate_rows))
        return tf.concat(columns, axis=1)

    def keep_share(self, share: float) -> None:
        """Keep a share of what was learned, see `TwoTowerModel.keeping`; without dense layers only."""
        for table in self.learned().values():
            scale_rows(table.variable, share)

    @property
    def factors(self) -> keras.Variable:
        """What is added to the table of ids, float32 `[num_candidates, dimension]`."""
        return self._factors

    def learned(self) -> LearnedTables:
        """Return what is trained, by name."""
        found = {
            "ids": LearnedTable(Rows.CANDIDATES, self._ids),
            "bias": LearnedTable(Rows.CANDIDATES, self._bias),
        }
        if self._content is not None:
            found["content"] = LearnedTable(Rows.CONTENT, self._content.table)
        return found | wholes("stack", [self._stack])

    def embed_content(self, content: NewContent) -> tf.Tensor:
        """Embed movies without a row by their content alone, added factors and the bias being 0."""
        shape = tf.stack([content.count, self._ids.value.shape[1]])
        values = tf.zeros(shape) if self._content is None else content.sum_in(self._content)
        return tf.pad(self._stack(values), [[0, 0], [self._num_added, 1]])
