"""What Ray Train runs on workers; its own processes beside them import this, and so no TensorFlow with it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import ray
import ray.train
from ray.train.backend import Backend, BackendConfig

from training.config import TrainingConfig
from training.distributed.training_run import TrainingRun
from training.errors import TrainingError

_LEFT_BEHIND = "another one does not answer"


class TensorflowAddresses(BackendConfig):
    """Tells workers each other's addresses in `TF_CONFIG`, as `ray.train.tensorflow.TensorflowConfig` does.

    That one has Ray's controller load TensorFlow, before any worker starts.
    """

    @property
    def backend_cls(self) -> type[Backend]:
        """Called by Ray."""
        return _TensorflowAddresses


class _TensorflowAddresses(Backend):
    def on_start(self, worker_group: Any, backend_config: BackendConfig) -> None:
        del backend_config
        addresses = worker_group.execute(_free_address)
        ray.get(
            [
                worker_group.execute_single_async(rank, _set_addresses, addresses, rank)
                for rank in range(len(addresses))
            ]
        )


def _free_address() -> str:
    host = ray.util.get_node_ip_address()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server(("", 0), family=family) as free:
        port = free.getsockname()[1]
    return f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}"


def _set_addresses(addresses: list[str], rank: int) -> None:
    workers = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
    os.environ["TF_CONFIG"] = json.dumps(workers)


class Events(ray.train.UserCallback):
    """Adds to the run's events; called by Ray's controller, on the driver's machine."""

    def __init__(self, run: TrainingRun) -> None:
        self._run = run

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Any) -> None:
        """Add what the first worker reported."""
        del run_context, checkpoint
        self._run.add_event(metrics[0])

    def after_exception(self, run_context: Any, worker_exceptions: dict[int, Exception]) -> None:
        """Add which workers were lost."""
        del run_context
        ranks = ", ".join(str(rank) for rank in sorted(worker_exceptions))
        # Those that were left behind fail too, later.
        reason = min(map(reason_of, worker_exceptions.values()), key=_LEFT_BEHIND.__eq__)
        self._run.add_event({"lost": f"worker {ranks} failed: {reason}"})


def train_worker(job: dict[str, Any]) -> None:
    """Train as one worker; Ray calls it in the worker's process."""
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(job["processors"]))
    from training.distributed.gradient_exchange import GradientExchange  # noqa: PLC0415 see the module
    from training.distributed.worker_fit import fit_share  # noqa: PLC0415 see the module

    size = ray.train.get_context().get_world_size()

    def report(epoch: int, figures: dict[str, float], directory: Path | None) -> None:
        checkpoint = None if directory is None else ray.train.Checkpoint.from_directory(directory)
        ray.train.report({"epoch": epoch, "figures": figures, "workers": size}, checkpoint=checkpoint)

    def train(checkpoint: Path | None) -> None:
        fit_share(
            GradientExchange.from_environment(),
            job["run"].table,
            TrainingConfig.from_document(job["config"]),
            checkpoint=checkpoint,
            report=report,
            checkpoint_every_seconds=job["checkpoint_every_seconds"],
        )

    before = ray.train.get_checkpoint()
    try:
        if before is None:
            train(None)
        else:
            with before.as_directory() as directory:
                train(Path(directory))
    except TrainingError as error:
        # Foreseen, and the same on every worker: to try again would not help.
        ray.train.report({"error": [type(error).__name__, str(error)]})


def reason_of(error: BaseException) -> str:
    """Why a worker failed, in one line: that it died, or the last line of its traceback."""
    text = str(error)
    if any(sign in text for sign in ("ActorDiedError", "The actor is dead", "is unavailable")):
        return "its process or machine died"
    if "Collective" in text:
        return _LEFT_BEHIND
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
