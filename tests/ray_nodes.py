"""A cluster of Ray nodes as processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# A process for each training, which looks for machines that a cloud is about to take back.
os.environ["RAY_TRAIN_ENABLE_PREEMPTION_WATCHER"] = "0"

from ray.cluster_utils import Cluster

_STORE_BYTES = 80 * 2**20


@contextmanager
def ray_nodes(processors: tuple[int, ...]) -> Iterator[Cluster]:
    """Start a head, which trains nothing, and a node for each number of processors; end them all."""
    common = {"include_dashboard": False, "object_store_memory": _STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **common})
    try:
        for each in processors:
            cluster.add_node(num_cpus=each, object_store_memory=_STORE_BYTES)
        yield cluster
    finally:
        cluster.shutdown()
