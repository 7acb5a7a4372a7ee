"""Connect to a Ray cluster, or start one on this machine for as long as it is needed."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from training.errors import ClusterError, ConfigurationError

_CONNECTED_WITHIN_SECONDS = 5
_DEFAULT_PORT = 6379
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}


def require_ray() -> None:
    """Check that Ray is installed, before anything that takes time.

    Raises:
        ConfigurationError: It is not.
    """
    if find_spec("ray") is None:
        raise ConfigurationError(
            "--workers needs Ray, which is not installed: pip install 'matinee[ray]', or leave out --workers"
        )


@contextmanager
def ray_cluster(
    address: str | None, *, processors: int, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Connect to a cluster until the context ends.

    Args:
        address: HOST:PORT of its head, or `auto` for the one that this machine belongs to; None: one is
            started on this machine, and ended with the context.
        processors: How many a cluster that is started promises, at least; more than there are share them.
        environment: Variables that Ray is to find, beside those that keep it quiet.

    Raises:
        ConfigurationError: Ray is not installed, or the address is none.
        ClusterError: There is no cluster at the address, this machine does not belong to it, or none starts.
    """
    require_ray()
    for name, value in {**_QUIET, **(environment or {})}.items():
        os.environ.setdefault(name, value)
    if address not in (None, "auto"):
        _require_listener(address)
    import ray  # noqa: PLC0415  seconds, and optional

    started = {"num_cpus": max(processors, os.cpu_count() or 1), "include_dashboard": False}
    with signals_unchanged():
        try:
            ray.init(
                address=address or "local",
                log_to_driver=False,
                logging_level=logging.ERROR,
                **(started if address is None else {}),
            )
        except (OSError, RuntimeError, ValueError, TimeoutError) as error:
            raise ClusterError(_not_connected(address, error)) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def signals_unchanged() -> Iterator[None]:
    """Restore the handlers of SIGINT and SIGTERM afterwards: Ray sets its own, and leaves them."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _require_listener(address: str) -> None:
    """Ask whether anything listens: Ray itself would try for minutes.

    Raises:
        ConfigurationError: The address is none.
        ClusterError: Nothing listens there.
    """
    host, _, port = address.rpartition(":")
    if "://" in address or (host and not port.isdecimal()):
        raise ConfigurationError(
            f"--ray-address must be HOST:PORT of the cluster's head, or auto, got {address!r}; "
            "run the command on a machine of the cluster"
        )
    if not is_listening(address):
        raise ClusterError(
            f"no Ray cluster at {address}: nothing listens there; start its head with `ray start --head` "
            "and pass the address that it prints"
        )


def is_listening(address: str) -> bool:
    """Whether something listens at HOST:PORT, or HOST and Ray's usual port."""
    host, _, port = address.rpartition(":")
    where = (host, int(port)) if host else (address, _DEFAULT_PORT)
    try:
        socket.create_connection(where, _CONNECTED_WITHIN_SECONDS).close()
    except OSError:
        return False
    return True


def _not_connected(address: str | None, error: Exception) -> str:
    reason = " ".join(str(error).split())
    if address is None:
        return f"no Ray cluster could be started on this machine: {reason}"
    return (
        f"no connection to the Ray cluster at {address}: {reason}; this machine must belong to the cluster "
        f"(`ray start --address {address}`), with the same versions of Python and Ray"
    )
