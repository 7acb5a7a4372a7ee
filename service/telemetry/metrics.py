"""What Prometheus is told: every metric of the service, in one process or in several."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from prometheus_client import Histogram

from service.bundle.manifest import Manifest
from service.errors import BundleError
from service.recommending.queries import Source
from service.telemetry.exposition import expose
from service.telemetry.observer import Endpoint, Fallback, Observer, Rejection, SearchStage, Stage
from service.telemetry.registry import Registry
from service.telemetry.resources import Resources

# Seconds.
REQUEST_BUCKETS = (
    *(0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075),
    *(0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
STAGE_BUCKETS = (
    *(0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
WAIT_BUCKETS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""People."""

_BUNDLE = ("bundle_id",)


class Telemetry(Observer):
    """Counts what the service does. Cheap enough to be called for each request: see docs/operations.md.

    In several processes each writes to files of its own in `PROMETHEUS_MULTIPROC_DIR`, and whichever is asked
    reads them all (`service.telemetry.worker_metrics` sets that up, before a process has a `Telemetry`).

    Args:
        worker: This process's number, from 1; 0 for the process that watches over workers.
    """

    def __init__(self, worker: int = 1) -> None:
        self.registry = registry = Registry()
        self._requests = registry.histogram(
            "request_seconds",
            "From the first byte of a request that was read to the last of its answer that was written.",
            REQUEST_BUCKETS,
            ("method", "route", "status"),
        )
        self._request_series: dict[tuple[str, str, int], Histogram] = {}
        stages = registry.histogram(
            "stage_seconds", "Stages of the work on one batch, and searches.", STAGE_BUCKETS, ("stage",)
        )
        self._stages = {stage: stages.labels(stage) for stage in (*get_args(Stage), *get_args(SearchStage))}
        batches = registry.histogram(
            "batch_size", "People answered by one model call.", BATCH_BUCKETS, ("endpoint",)
        )
        self._batches = {endpoint: batches.labels(endpoint) for endpoint in get_args(Endpoint)}
        self._queue_wait = registry.histogram(
            "queue_wait_seconds", "From a request's arrival in the queue to the work on it.", WAIT_BUCKETS
        )
        self._fallbacks = registry.counters(
            "index_fallbacks", "Searches that one query of Annoy did not answer.", "kind", get_args(Fallback)
        )
        self._served = registry.counters(
            "items_served", "Items of answers, by source.", "source", get_args(Source)
        )
        self._rejections = registry.counters(
            "requests_rejected", "Requests given up, by reason.", "reason", get_args(Rejection)
        )
        self._bundle_info = registry.gauge(
            "bundle_info", "Workers that serve this bundle.", "livesum", _BUNDLE
        )
        self._bundle_created = registry.gauge(
            "bundle_created_timestamp_seconds", "When training made the bundle served.", "livemax", _BUNDLE
        )
        self._bundle_loaded = registry.gauge(
            "bundle_loaded_timestamp_seconds", "When a worker last took the bundle up.", "livemax", _BUNDLE
        )
        self._live_bundle_id: str | None = None
        self._loads = registry.counter("bundle_loads", "Bundles taken up, by all workers together.")
        self._refusals = registry.counter(
            "bundle_refusals",
            "Bundles refused, by all workers together; each reason once in a row.",
            ("reason",),
        )
        # A series that begins with 1 never rose, for Prometheus: the alert would miss the first refusal.
        for error in _kinds_of(BundleError):
            self._refusals.labels(error.__name__)
        self._workers = registry.gauge("workers", "Worker processes that run.", "livesum")
        self._worker_deaths = registry.counter("worker_deaths", "Workers that ended without being told to.")
        self._worker = worker
        self._resident = registry.gauge(
            "worker_resident_bytes", "Memory of a worker, with what it shares.", "livemax", ("worker",)
        )
        self._cpu = registry.counter("worker_cpu_seconds", "Processor time of a worker.", ("worker",))
        self._cpu_seconds_told = 0.0
        self._lines_dropped = registry.counter("log_lines_dropped", "Log lines nobody took away in time.")

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered; 499 where nobody waited for the answer any more.

        Args:
            method: One of HTTP's own, or another word for all others.
            route: The route's template, never the path.
            status: Of the answer.
            seconds: It took.
        """
        key = (method, route, status)
        series = self._request_series.get(key)
        if series is None:
            series = self._request_series[key] = self._requests.labels(*key)
        series.observe(seconds)

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage of one batch took so long."""
        self._stages[stage].observe(seconds)

    def search(self, stage: SearchStage, seconds: float) -> None:
        """A search that is of no batch took so long, until now."""
        self._stages[stage].observe(seconds)

    def batch(self, endpoint: Endpoint, size: int) -> None:
        """So many people were answered by one model call."""
        self._batches[endpoint].observe(size)

    def queue_wait(self, seconds: float) -> None:
        """One request waited so long before work on it began."""
        self._queue_wait.observe(seconds)

    def fallback(self, kind: Fallback) -> None:
        """One search of the candidate index needed more than one query of Annoy."""
        self._fallbacks[kind].inc()

    def served(self, source: str, count: int) -> None:
        """So many items of one answer came from `source`."""
        self._served[source].inc(count)

    def rejected(self, reason: Rejection) -> None:
        """One request was not answered."""
        self._rejections[reason].inc()

    def bundle_live(self, manifest: Manifest) -> None:
        """This process serves another bundle from now on."""
        bundle_id = manifest.bundle_id
        created = datetime.fromisoformat(manifest.created_utc).timestamp()
        gauges = (self._bundle_info, self._bundle_created, self._bundle_loaded)
        if self._live_bundle_id not in {None, bundle_id}:
            for gauge in gauges:
                gauge.labels(self._live_bundle_id).set(0)
        self._live_bundle_id = bundle_id
        self._bundle_created.labels(bundle_id).set(created)
        self._bundle_loaded.labels(bundle_id).set_to_current_time()
        self._bundle_info.labels(bundle_id).set(1)
        self._loads.inc()

    def bundle_refused(self, error_name: str) -> None:
        """A bundle cannot be served."""
        self._refusals.labels(error_name).inc()

    def looked(self) -> None:
        """This process lives: it looked at CURRENT. What can only be asked of it now is noted."""
        resources = Resources.of_this_process()
        self._resident.labels(self._worker).set(resources.resident_bytes)
        self._cpu.labels(self._worker).inc(resources.cpu_seconds - self._cpu_seconds_told)
        self._cpu_seconds_told = resources.cpu_seconds

    def workers(self, count: int) -> None:
        """So many worker processes run."""
        self._workers.set(count)

    def worker_died(self) -> None:
        """A worker ended without being told to."""
        self._worker_deaths.inc()

    def lines_dropped(self, count: int) -> None:
        """So many log lines were never written."""
        self._lines_dropped.inc(count)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All of it over all processes, see `service.telemetry.exposition.expose`."""
        return expose(self.registry, accept)


def _kinds_of(error: type[BundleError]) -> Iterator[type[BundleError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from _kinds_of(kind)
