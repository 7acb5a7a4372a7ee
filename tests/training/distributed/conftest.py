"""A Ray cluster for all tests that end no node of it: to start one takes ten seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """Address of a cluster with three processors."""
    from ray_nodes import ray_nodes  # noqa: PLC0415  seconds, for most tests need no Ray

    with ray_nodes((3,)) as nodes:
        yield nodes.address
