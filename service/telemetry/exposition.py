"""The metrics as Prometheus reads them, of one process or of several."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """All metrics, over all processes where there are several.

    Args:
        registry: Of this process.
        accept: The request's `Accept` header.

    Returns:
        The text and its content type.
    """
    encode, content_type = choose_encoder(accept)
    source: Collector = registry
    if values.ValueClass._multiprocess:  # what the library asks itself, too
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        source = MultiProcessCollector(None, directory)  # type: ignore[no-untyped-call] # it has no types
    return encode(_LiveBundles(source)), content_type


class _LiveBundles(Collector):
    """Leaves out bundles that nobody serves any more; the files of several processes cannot forget them."""

    def __init__(self, source: Collector) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        for metric in self._source.collect():
            if metric.name.startswith("matinee_bundle_") and metric.type == "gauge":
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric
