"""Train `two_clusters` on a cluster's workers, in a process of its own: Ray ends one whose head was lost.

Run as `python ray_driver.py ADDRESS RUNS WORKERS`: prints `epoch N` and `note ...`; its error is last.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from synthetic_ratings import SMALL_CONFIG, two_clusters

from training.distributed import ray_training
from training.distributed.worker_group import WorkerGroup
from training.errors import ClusterError

EPOCHS = replace(SMALL_CONFIG, epochs=20)
"""Of eight steps: long enough to be interrupted three times."""


def main(address: str, runs: Path, workers: int) -> None:
    def show(kind: str, what: object) -> None:
        print(kind, what, file=sys.__stdout__, flush=True)

    ray_training._HEAD_LOST_SECONDS = 1
    group = WorkerGroup(count=workers, address=address, runs=runs, checkpoint_every_seconds=0.5)
    try:
        ray_training.fit_on_workers(
            two_clusters(),
            EPOCHS,
            lambda epoch, _: show("epoch", epoch),
            workers=group,
            note=lambda text: show("note", text),
        )
    except ClusterError as error:
        print(error, flush=True)  # noqa: T201
        os._exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
