"""Run the service: a supervisor and its workers."""

from __future__ import annotations

import logging
import os
import socket
from functools import partial

from service.bundle.object_storage import is_url
from service.processes.listening import warn_of_open_access
from service.processes.messages import MessageSocket
from service.processes.mirror_process import MirrorProcess
from service.processes.rollout import Rollout
from service.processes.server import RETIRE_SECONDS, serve
from service.processes.supervisor import Supervisor, WorkerReports
from service.processes.worker_process import WorkerStart
from service.reloading.bundle_selection import BundleSelection
from service.settings import Settings
from service.telemetry.logs import log_directly
from service.telemetry.metrics import Telemetry
from service.telemetry.worker_metrics import WorkerMetrics

logger = logging.getLogger(__name__)


def run_service(settings: Settings, reserved: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; at SIGHUP read CURRENT at once.

    Args:
        settings: Of the service.
        reserved: Holds the address, see `listening.reserve`.
    """
    log_directly(settings.log_level, settings.log_format, worker=0)
    if not settings.api_keys.get_secret_value():
        warn_of_open_access(reserved)
    threads = settings.workers * max(settings.tensorflow_intra_op_threads, settings.blas_threads)
    if threads > (cores := os.cpu_count() or 1):
        logger.warning(
            "%d workers with their threads want %d cores, and there are %d", settings.workers, threads, cores
        )
    metrics = WorkerMetrics()
    with metrics.directory():
        telemetry = Telemetry(0)
        selection = BundleSelection(
            settings.artifacts_directory,
            first_pause_seconds=settings.reload_seconds,
            refused=telemetry.bundle_refused,
            training_refused=telemetry.training_refused,
        )
        rollout = Rollout(
            settings.workers,
            reserved,
            partial(_run_worker, settings, metrics),
            selection,
            reload_seconds=settings.reload_seconds,
            died=telemetry.worker_died,
        )
        Supervisor(
            rollout,
            reserved,
            WorkerReports(running=telemetry.workers, ended=metrics.remove_gauges),
            retire_seconds=RETIRE_SECONDS + settings.shutdown_seconds,
            shutdown_seconds=settings.shutdown_seconds,
            drain_seconds=settings.drain_seconds,
            mirror=MirrorProcess(settings) if is_url(settings.artifacts) else None,
        ).run()


def _run_worker(
    settings: Settings,
    metrics: WorkerMetrics,
    start: WorkerStart,
    listener: socket.socket,
    messages: MessageSocket,
) -> None:
    metrics.enter_worker(start.key)
    serve(settings, start, listener, messages, flush_metrics=metrics.flush)
