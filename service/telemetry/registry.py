"""Makes metrics: named after the service, and added up over its processes as each kind should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Mode = Literal["livesum", "livemax"]
"""How the values of several workers become one; a dead worker's do not count."""

# Seconds since 1970 at which each series began: half as many series again, which nothing here reads.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types


class Registry(CollectorRegistry):
    """The metrics of one process; every name begins with `matinee_`."""

    def histogram(
        self, name: str, help_: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        """How often values fell below each bucket's bound, and their sum."""
        return Histogram(f"matinee_{name}", help_, labels, registry=self, buckets=buckets)

    def counter(self, name: str, help_: str, labels: tuple[str, ...] = ()) -> Counter:
        """What only rises."""
        return Counter(f"matinee_{name}", help_, labels, registry=self)

    def counters(self, name: str, help_: str, label: str, known: Iterable[str]) -> Mapping[str, Counter]:
        """One for each value that a label can have, so that each is 0 before it first counts."""
        counter = self.counter(name, help_, (label,))
        return {value: counter.labels(value) for value in known}

    def gauge(self, name: str, help_: str, mode: Mode, labels: tuple[str, ...] = ()) -> Gauge:
        """What is now."""
        return Gauge(f"matinee_{name}", help_, labels, registry=self, multiprocess_mode=mode)
