"""A trained model with what it was trained on, called with numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle.query_encoding import QueryInputs
from training.config import TrainingConfig
from training.model.histories import Histories
from training.model.row_blocks import row_blocks
from training.model.two_tower_model import TwoTowerModel
from training.model.variable_memory import free
from training.model.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model and the rows it was trained on.

    Attributes:
        losses: Mean losses of each epoch, by name.
        validation: The epochs that were validated as `epoch`, from 1, and the figures found, by name; empty
            where none was.
    """

    model: TwoTowerModel
    vocabulary: Vocabulary
    histories: Histories
    config: TrainingConfig
    losses: dict[str, list[float]]
    validation: dict[str, list[float]] = field(default_factory=dict)

    @cached_property
    def candidate_embeddings(self) -> NDArray[np.float32]:
        """Embeddings of all candidates, float32 `[num_candidates, D]`, read-only, computed once."""
        count = self.vocabulary.num_candidates
        embed = self.model.candidate_tower
        embeddings = np.empty((count, embed(tf.range(0)).shape[1]), np.float32)
        for block in row_blocks(count):
            embeddings[block] = embed(tf.range(block.start, block.stop))
        embeddings.flags.writeable = False
        return embeddings

    @cached_property
    def movie_biases(self) -> NDArray[np.float32]:
        """How far above the mean each movie is rated, float32 `[num_candidates]`, in standard deviations."""
        rows = tf.range(self.vocabulary.num_candidates)
        biases: NDArray[np.float32] = self.model.rating_task.movie_bias(rows).numpy()
        biases.flags.writeable = False
        return biases

    def free(self) -> None:
        """Free the memory of weights and embeddings: nothing can be asked of the model afterwards."""
        free(self.model.variables)
        self.__dict__.pop("candidate_embeddings", None)
        self.__dict__.pop("movie_biases", None)

    def embed_queries(self, inputs: QueryInputs) -> NDArray[np.float32]:
        """Embed queries, float32 `[B, D]`."""
        embeddings: NDArray[np.float32] = self.model.embed_query(as_tensors(inputs)).numpy()
        return embeddings

    def predict_ratings(self, inputs: QueryInputs, candidate_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Predict stars, float32 `[B, K]`, clipped to the scale, of int32 `[B, K]` movies."""
        tensors = as_tensors(inputs | {"candidate_rows": candidate_rows})
        ratings: NDArray[np.float32] = self.model.predict_rating(tensors).numpy()
        return ratings


def as_tensors(arrays: QueryInputs) -> dict[str, tf.Tensor]:
    """Convert arrays to tensors by name."""
    return {name: tf.constant(array) for name, array in arrays.items()}
