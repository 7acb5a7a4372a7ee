"""Encode the metrics of one process or of several for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Metric, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Encode all metrics, added up over processes where there are several.

    Args:
        registry: The metrics of this process.
        accept: The request's `Accept` header.

    Returns:
        The text and its content type.
    """
    encode, content_type = choose_encoder(accept)
    source: Collector = registry
    if values.ValueClass._multiprocess:  # as the library itself does
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        source = MultiProcessCollector(None, directory)  # type: ignore[no-untyped-call] # it has no types
    return encode(_LiveBundles(source)), content_type


class _LiveBundles(Collector):
    """Leave out bundles that no process serves; series cannot be deleted from the files of processes."""

    def __init__(self, source: Collector) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        for metric in self._source.collect():
            if metric.name.startswith("matinee_bundle_") and metric.type == "gauge":
                metric.samples = [sample for sample in metric.samples if sample.value]
            yield metric
