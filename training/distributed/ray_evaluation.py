"""Measure a trained model on a Ray cluster, a shard of the users a task, and merge what each user adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
import tensorflow as tf
from numpy.typing import NDArray
from ray.exceptions import RayError

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.distributed.ray_cluster import ray_cluster
from training.errors import ClusterError
from training.evaluation.held_out_users import users_at_once
from training.evaluation.recommended_lists import RecommendedLists
from training.evaluation.split_evaluation import evaluate_model
from training.evaluation.user_sums import UserSums, joined
from training.model.examples import ExampleSampler
from training.model.histories import Histories
from training.model.trained_model import TrainedModel
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class SentModel:
    """A trained model as it is sent to other processes: Keras models cannot be.

    Attributes:
        vocabulary, histories, config: As of `TrainedModel`.
        weights: Of the model, in its order.
    """

    vocabulary: Vocabulary
    histories: Histories
    config: TrainingConfig
    weights: list[NDArray[Any]]

    @classmethod
    def of(cls, trained: TrainedModel) -> SentModel:
        """Take a model's weights."""
        return cls(trained.vocabulary, trained.histories, trained.config, trained.model.get_weights())

    def rebuild(self) -> TrainedModel:
        """Make the same model again."""
        model = TwoTowerModel(self.vocabulary, self.config)
        batch = next(ExampleSampler(self.histories, self.config).batches())
        model({name: tf.constant(values) for name, values in batch.items()})
        model.set_weights(self.weights)
        return TrainedModel(model, self.vocabulary, self.histories, self.config, {})


@dataclass(frozen=True)
class RayShards:
    """Measures as `evaluate_model` does, on a cluster; a `MeasureModel`.

    Attributes:
        count: How many shards, each measured by a task.
        address: Of the cluster, see `ray_cluster`.
    """

    count: int
    address: str | None = None

    def __call__(self, trained: TrainedModel, test: RatingsTable, lists: RecommendedLists) -> UserSums:
        """See `MeasureModel`.

        Raises:
            ClusterError: There is no cluster, or it was lost.
        """
        with ray_cluster(self.address, processors=self.count):
            sent = ray.put(SentModel.of(trained))
            available = float(ray.cluster_resources().get("CPU", 1))
            measure = _measure.options(num_cpus=min(1.0, available / self.count))
            tasks = [measure.remote(sent, shard) for shard in shards(test, self.count)]
            try:
                measured = ray.get(tasks)
            except RayError as error:
                raise ClusterError(f"measuring on the Ray cluster failed: {_last_line(error)}") from error
        for _, of_shard in measured:
            lists.merge(of_shard)
        return joined([sums for sums, _ in measured])


def shards(test: RatingsTable, count: int) -> Iterator[RatingsTable]:
    """Cut test rows by users, in ascending order, into at most so many parts.

    Each has whole groups of `held_out_users`, so that every product of matrices is that of one process.
    """
    users, at_once = np.unique(test.user_rows), users_at_once(test.num_movies)
    groups = -(-len(users) // at_once)
    for of_shard in np.array_split(np.arange(groups), min(count, groups)):
        first, end = int(of_shard[0]) * at_once, (int(of_shard[-1]) + 1) * at_once
        yield test.take(np.flatnonzero(np.isin(test.user_rows, users[first:end])))


@ray.remote
def _measure(sent: SentModel, shard: RatingsTable) -> tuple[UserSums, RecommendedLists]:
    trained = sent.rebuild()
    lists = RecommendedLists(trained.histories, shard.movies)
    return evaluate_model(trained, shard, lists), lists


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
