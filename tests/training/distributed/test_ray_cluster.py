from __future__ import annotations

import os
import socket

import pytest

from training.distributed import ray_cluster as module
from training.distributed.ray_cluster import ray_cluster, require_ray
from training.errors import ClusterError, ConfigurationError


def test_without_ray_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'matinee\[ray\]'"):
        require_ray()


@pytest.mark.parametrize("address", ["ray://head:10001", "head:port", "http://head"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="must be HOST:PORT"), ray_cluster(address, processors=1):
        pass


def test_an_address_where_nothing_listens_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        pytest.raises(ClusterError, match=rf"no Ray cluster at 127.0.0.1:{port}: .* `ray start --head`"),
        ray_cluster(f"127.0.0.1:{port}", processors=1),
    ):
        pass


@pytest.mark.ray
def test_a_cluster_on_this_machine_promises_as_many_processors_as_are_asked_for() -> None:
    import ray  # noqa: PLC0415  seconds

    more = (os.cpu_count() or 1) + 1
    with ray_cluster(None, processors=more):
        assert ray.cluster_resources()["CPU"] == more
    assert not ray.is_initialized()
