"""Train on several machines: Ray Train places, restarts and checkpoints the workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import ray
import ray.exceptions
import ray.train
import ray.train.tensorflow

from training import errors
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.distributed.fit_checkpoint import restore_checkpoint
from training.distributed.ray_cluster import is_listening, ray_cluster
from training.distributed.ray_worker import Events, TensorflowAddresses, reason_of, train_worker
from training.distributed.training_run import TrainingRun
from training.distributed.worker_group import WorkerGroup
from training.errors import ClusterError, TrainingError
from training.model.adaptation import adapt
from training.model.epoch_record import OnEpoch
from training.model.fitting import prepare_fit
from training.model.trained_model import TrainedModel

_MAX_FAILURES = 10
_POLL_SECONDS = 0.2
_HEAD_LOST_SECONDS = 20  # Ray itself ends this process after 60, without a word of ours
_ENVIRONMENT = {
    # Every report waits for the next of these: epochs may be shorter than the usual two seconds.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.25",
    "RAY_TRAIN_METRICS_ENABLED": "0",
}

Note = Callable[[str], None]
"""Called with what a person who waits should know: a worker was lost, training goes on."""


def fit_on_workers(
    table: RatingsTable,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    *,
    workers: WorkerGroup,
    note: Note = lambda _: None,
) -> TrainedModel:
    """Train as `fit_model` does, on several workers: to the same model but for the order of sums.

    An attempt that failed is taken up where its last checkpoint is. What a finished one leaves is to be
    removed by `remove_finished_runs`, once the model is kept elsewhere.

    Args:
        table: Ratings to train on.
        config: Hyper-parameters.
        on_epoch: Called after every epoch.
        workers: How many, where.
        note: See there.

    Raises:
        ClusterError: There is no cluster, it is too small, or it was lost; the message says how to go on.
        TrainingError: What `fit_model` raises.
    """
    run = TrainingRun.of(workers.runs, table, adapt(config, table))
    run.clear_events()
    job = {
        "run": run,
        "config": adapt(config, table).to_document(),
        "processors": workers.processors,
        "checkpoint_every_seconds": workers.checkpoint_every_seconds,
    }
    with ray_cluster(
        workers.address, processors=workers.count * workers.processors, environment=_ENVIRONMENT
    ):
        _require_processors(workers)
        trainer = ray.train.tensorflow.TensorflowTrainer(
            train_worker,
            train_loop_config=job,
            tensorflow_config=TensorflowAddresses(),
            scaling_config=ray.train.ScalingConfig(
                # Elastic: with those that are left when a machine does not come back.
                num_workers=(1, workers.count),
                resources_per_worker={"CPU": workers.processors},
                placement_strategy="SPREAD",
            ),
            run_config=ray.train.RunConfig(
                name=run.checkpoints.name,
                storage_path=str(run.directory),
                failure_config=ray.train.FailureConfig(max_failures=_MAX_FAILURES),
                checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
                callbacks=[Events(run)],
                logging_config=ray.train.LoggingConfig(log_level="ERROR"),
            ),
        )
        # Ray prints what it thinks of lost machines, in hundreds of lines.
        with run.messages.open("a", encoding="utf-8") as messages, redirect_stdout(messages):
            result = _Fit(trainer, run, workers, on_epoch, note).wait()
    fit = prepare_fit(table, config)
    with result.checkpoint.as_directory() as directory:
        restore_checkpoint(fit, Path(directory))
    run.finish()
    return fit.finish()


def _require_processors(workers: WorkerGroup) -> None:
    """Refuse a cluster that is too small, instead of waiting for machines that do not come.

    Raises:
        ClusterError: It is.
    """
    needed, found = workers.count * workers.processors, int(ray.cluster_resources().get("CPU", 0))
    if found < needed:
        raise ClusterError(
            f"{workers.count} workers need {needed} processors, the Ray cluster has {found}: add machines "
            f"(`ray start --address ...`), or lower --workers"
        )


class _Fit:
    """A trainer that runs in a thread while this one shows what happens and can be interrupted.

    In the main thread Ray would take over SIGINT, and a lost head would not be noticed.
    """

    def __init__(
        self,
        trainer: ray.train.tensorflow.TensorflowTrainer,
        run: TrainingRun,
        workers: WorkerGroup,
        on_epoch: OnEpoch | None,
        note: Note,
    ) -> None:
        self._trainer, self._run, self._workers = trainer, run, workers
        self._on_epoch, self._note = on_epoch, note
        self._result: Any = None
        self._failure: BaseException | None = None
        self._foreseen: TrainingError | None = None
        self._read, self._epoch, self._size = 0, 0, workers.count
        self._head_seen = time.monotonic()

    def wait(self) -> Any:
        """Train, and return Ray's result."""
        thread = threading.Thread(target=self._train, name="ray-train", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
            self._show_events()
            self._look_for_head()
        self._show_events()
        if self._foreseen is not None:
            raise self._foreseen
        if self._failure is not None:
            raise self._error(self._failure)
        return self._result

    def _train(self) -> None:
        try:
            self._result = self._trainer.fit()
        except BaseException as failure:  # noqa: BLE001  raised again in the main thread
            self._failure = failure

    def _look_for_head(self) -> None:
        now = time.monotonic()
        if now - self._head_seen < 1:
            return
        head = ray.get_runtime_context().gcs_address
        if is_listening(head):
            self._head_seen = time.monotonic()
        elif now - self._head_seen > _HEAD_LOST_SECONDS:
            raise ClusterError(
                f"the Ray cluster was lost: its head at {head} has not answered for {_HEAD_LOST_SECONDS} "
                f"seconds; once there is a cluster, {self._how_to_go_on()}"
            )

    def _show_events(self) -> None:
        for event, end in self._run.events_from(self._read):
            self._read = end
            if "error" in event:
                name, message = event["error"]
                # Raised once the workers have ended: Ray keeps what an ended command reserved for minutes.
                self._foreseen = getattr(errors, name, TrainingError)(message)
                continue
            if "lost" in event:
                self._note(f"{event['lost']}; training goes on from the last checkpoint")
                continue
            if event["workers"] != self._size:
                self._size = event["workers"]
                self._note(f"{self._size} of {self._workers.count} workers train")
            if event["epoch"] > self._epoch:  # epochs after a checkpoint are repeated
                self._epoch = event["epoch"]
                if self._on_epoch is not None:
                    self._on_epoch(self._epoch, event["figures"])

    def _how_to_go_on(self) -> str:
        return f"the same command goes on from the last checkpoint, which {self._run.directory} has"

    def _error(self, failure: BaseException) -> BaseException:
        if isinstance(failure, ray.train.WorkerGroupError):
            times = f"workers failed {_MAX_FAILURES + 1} times, the last time"
            return ClusterError(f"{times}: {reason_of(failure)}; {self._how_to_go_on()}")
        if isinstance(failure, ray.train.TrainingFailedError | ray.exceptions.RayError | OSError):
            return ClusterError(f"the Ray cluster was lost: {reason_of(failure)}; {self._how_to_go_on()}")
        return failure
