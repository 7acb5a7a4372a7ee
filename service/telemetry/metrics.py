"""Every metric of the service, for Prometheus to read, in one process or in several."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar, get_args

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from service.bundle.manifest import Manifest
from service.errors import BundleError
from service.live.events import AppendedType, Event, EventType, Outcome, StateType
from service.telemetry.exposition import expose
from service.telemetry.observations import Observations
from service.telemetry.observer import Endpoint, Fallback, Observer, Rejection, SearchStage, Source, Stage
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
"""Queries."""

ERROR_BUCKETS = (0.0625, 0.25, 0.5625, 1, 2.25, 4, 9, 16)
"""Stars, squared."""

M = TypeVar("M", bound=MetricWrapperBase)

# Seconds since 1970 at which each series began: half as many series again, which nothing here reads.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types


class Telemetry(Observer):
    """Count what the service does. Cheap enough to be called for each request: see docs/operations.md.

    With several processes each writes to files of its own in `PROMETHEUS_MULTIPROC_DIR`, and any of them
    exposes all (`service.telemetry.worker_metrics` sets that up, before a process makes its `Telemetry`).

    Args:
        worker: This process's number, from 1, for labels; 0 for the supervisor.
        flush: Writes what was counted to where other processes read it, see `WorkerMetrics.flush`.
    """

    def __init__(self, worker: int = 1, *, flush: Callable[[], None] = lambda: None) -> None:
        self._write = flush
        self._observations: list[Observations] = []
        self.registry = CollectorRegistry()
        histogram = partial(Histogram, namespace="matinee", registry=self.registry)
        counter = partial(Counter, namespace="matinee", registry=self.registry)
        # Over several processes, of which dead ones do not count.
        live_max = partial(Gauge, namespace="matinee", registry=self.registry, multiprocess_mode="livemax")
        live_sum = partial(live_max, multiprocess_mode="livesum")

        self._requests = histogram(
            "request_seconds",
            "From a request's headers to the last byte of its answer.",
            ("method", "route", "status"),
            buckets=REQUEST_BUCKETS,
        )
        self._request_series: dict[tuple[str, str, int], Observations] = {}
        stages = histogram(
            "stage_seconds", "Stages of a batch's work, and searches.", ("stage",), buckets=STAGE_BUCKETS
        )
        by_stage = _series(stages, (*get_args(Stage), *get_args(SearchStage)))
        self._stages = {stage: self._collect(histogram) for stage, histogram in by_stage.items()}
        batches = histogram(
            "batch_size", "Queries answered by one model call.", ("endpoint",), buckets=BATCH_BUCKETS
        )
        self._batches = _series(batches, get_args(Endpoint))
        self._queue_wait = self._collect(
            histogram("queue_wait_seconds", "From arrival in the queue to the work.", buckets=WAIT_BUCKETS)
        )
        fallbacks = counter("index_fallbacks", "Searches that one index query did not answer.", ("kind",))
        self._fallbacks = _series(fallbacks, get_args(Fallback))
        served = counter("items_served", "Items of answers, by source.", ("source",))
        self._served = _series(served, get_args(Source))
        rejections = counter("requests_rejected", "Requests given up, by reason.", ("reason",))
        self._rejections = _series(rejections, get_args(Rejection))

        posted = counter("feedback_events", "Posted events, by what became of them.", ("outcome",))
        self._posted = _series(posted, (*Outcome._fields[:3], "rejected"))
        by_type = counter("feedback_posted", "Posted events that were taken, by type.", ("type",))
        self._posted_types = _series(by_type, (*get_args(StateType), *get_args(AppendedType)))
        self._commits = histogram(
            "feedback_commit_seconds", "Commits of posted events.", buckets=WAIT_BUCKETS
        )
        self._away = counter("feedback_away", "Batches answered without the store of feedback.")

        self._recommended = counter(
            "recommended_events",
            "Stored events about movies that answers showed.",
            ("bundle_id", "source", "type"),
        )
        self._rating_errors = histogram(
            "rating_squared_error",
            "Squared difference of posted ratings from what is predicted, of movies that answers showed.",
            ("bundle_id",),
            buckets=ERROR_BUCKETS,
        )

        by_bundle = ("bundle_id",)
        self._bundle_info = live_sum("bundle_info", "Workers that serve this bundle.", by_bundle)
        self._bundle_created = live_max(
            "bundle_created_timestamp_seconds", "When training made the bundle served.", by_bundle
        )
        self._bundle_loaded = live_max(
            "bundle_loaded_timestamp_seconds", "When a worker last loaded the bundle.", by_bundle
        )
        self._loads = counter("bundle_loads", "Bundles loaded, by all workers together.")
        self._refusals = counter(
            "bundle_refusals", "Bundles refused by workers, each reason once in a row.", ("reason",)
        )
        # A series that begins with 1 never rose, for Prometheus: the alert would miss the first refusal.
        _series(self._refusals, (error.__name__ for error in _subclasses(BundleError)))

        self._training_refused = live_max(
            "training_refused", "1 while training keeps its newest bundle from going live."
        )
        self._workers = live_sum("workers", "Worker processes that run.")
        self._worker_deaths = counter("worker_deaths", "Workers that ended without being stopped.")
        self._worker = worker
        self._resident = live_max("worker_resident_bytes", "Memory, with what is shared.", ("worker",))
        self._cpu = counter("worker_cpu_seconds", "Processor time of a worker.", ("worker",))
        self._cpu_seconds_counted = 0.0
        self._lines_dropped = counter("log_lines_dropped", "Log lines that were not read in time.")

    def _collect(self, histogram: Histogram) -> Observations:
        observations = Observations(histogram)
        self._observations.append(observations)
        return observations

    def flush(self) -> None:
        """Count what was observed, and write it to where other processes read it."""
        for observations in self._observations:
            observations.count()
        self._write()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered, or ended without an answer.

        Args:
            method: HTTP method, or one word for all that are none.
            route: The route's template, never the path.
            status: HTTP status of the answer; 499 where there was none.
            seconds: From its headers to the last byte of the answer.
        """
        key = (method, route, status)
        series = self._request_series.get(key)
        if series is None:
            series = self._request_series[key] = self._collect(self._requests.labels(*key))
        series.observe(seconds)

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage of the work on one batch ended."""
        self._stages[stage].observe(seconds)

    def search(self, stage: SearchStage, seconds: float) -> None:
        """A search outside of any batch ended."""
        self._stages[stage].observe(seconds)

    def batch(self, endpoint: Endpoint, size: int) -> None:
        """A model call begins, for this number of queries to one endpoint."""
        self._batches[endpoint].observe(size)

    def queue_wait(self, seconds: float) -> None:
        """A request leaves the queue."""
        self._queue_wait.observe(seconds)

    def fallback(self, kind: Fallback) -> None:
        """A search needed more than one query of the candidate index."""
        self._fallbacks[kind].inc()

    def served(self, source: Source, count: int) -> None:
        """An answer was made of this number of items."""
        self._served[source].inc(count)

    def rejected(self, reason: Rejection) -> None:
        """A request or a connection was given up."""
        self._rejections[reason].inc()

    def bundle_live(self, manifest: Manifest) -> None:
        """This process serves this bundle from now on."""
        bundle_id = manifest.bundle_id
        created = datetime.fromisoformat(manifest.created_utc).timestamp()
        self._bundle_created.labels(bundle_id).set(created)
        self._bundle_loaded.labels(bundle_id).set_to_current_time()
        self._bundle_info.labels(bundle_id).set(1)
        self._loads.inc()

    def bundle_refused(self, error_name: str) -> None:
        """A bundle cannot be served, for an error of this name."""
        self._refusals.labels(error_name).inc()

    def training_refused(self, is_refused: bool) -> None:
        """Whether training keeps its newest bundle from going live, for its quality."""
        self._training_refused.set(int(is_refused))

    def feedback(self, events: Sequence[Event], outcome: Outcome, num_rejected: int) -> None:
        """Events were posted, and became what the outcome says; others of the request were refused."""
        for name, count in zip(Outcome._fields[:3], outcome[:3], strict=True):
            if count:
                self._posted[name].inc(count)
        if num_rejected:
            self._posted["rejected"].inc(num_rejected)
        for type_, count in Counted(event.type for event in events).items():
            self._posted_types[type_].inc(count)

    def recommended(self, bundle_id: str, source: Source, type_: EventType) -> None:
        """An event about a movie that an answer of this bundle showed was stored."""
        self._recommended.labels(bundle_id, source, type_).inc()

    def rating_error(self, bundle_id: str, stars: float) -> None:
        """A rating of such a movie was posted, and differs by so many stars from what is predicted."""
        self._rating_errors.labels(bundle_id).observe(stars * stars)

    def committed(self, seconds: float) -> None:
        """Posted events, perhaps of several requests, were committed."""
        self._commits.observe(seconds)

    def store_away(self) -> None:
        """A batch is answered without the store of feedback, which cannot be read."""
        self._away.inc()

    def report_resources(self) -> None:
        """Memory and processor time of this process are due to be reported."""
        resources = Resources.of_this_process()
        self._resident.labels(self._worker).set(resources.resident_bytes)
        self._cpu.labels(self._worker).inc(resources.cpu_seconds - self._cpu_seconds_counted)
        self._cpu_seconds_counted = resources.cpu_seconds

    def workers(self, count: int) -> None:
        """This number of worker processes run."""
        self._workers.set(count)

    def worker_died(self) -> None:
        """A worker ended without being stopped."""
        self._worker_deaths.inc()

    def lines_dropped(self, count: int) -> None:
        """This number of log lines was dropped."""
        self._lines_dropped.inc(count)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics of all processes, see `service.telemetry.exposition.expose`."""
        self.flush()
        return expose(self.registry, accept)


def _series(metric: M, values: Iterable[str]) -> dict[str, M]:
    """A metric's series by the value of its only label; each is 0 before it first counts."""
    return {value: metric.labels(value) for value in values}


def _subclasses(error: type[BundleError]) -> Iterator[type[BundleError]]:
    for kind in error.__subclasses__():
        yield kind
        yield from _subclasses(kind)
