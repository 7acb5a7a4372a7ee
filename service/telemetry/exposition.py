"""Encode the metrics of one process or of several for Prometheus."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, values
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
    return encode(source), content_type
