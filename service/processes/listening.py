"""Reserve an address on which several processes listen, each with a socket of its own.

Connections to one socket shared by several processes go to the process that wakes up first, which then
takes all that wait: of 16 connections opened at once, one of two workers got all 16 (docs/operations.md).
Where each process has a socket of its own at the same address (SO_REUSEPORT) Linux deals them out by port.
"""

from __future__ import annotations

import logging
import socket
import sys
from ipaddress import ip_address

logger = logging.getLogger(__name__)

BACKLOG = 2048

DEALS_OUT = sys.platform == "linux"
"""Elsewhere SO_REUSEPORT is missing or gives every connection to one socket."""


def reserve(host: str, port: int) -> socket.socket:
    """Hold an address for `join`, without listening, so that no other service can take it.

    Raises:
        OSError: The address cannot be had.
    """
    if not DEALS_OUT:
        return socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
    reserved = _bind(host, port)
    # Only now, or another reservation of the same user would have been let in beside this one. And without
    # SO_REUSEADDR, which would let others in as long as no process listens.
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return reserved


def join(reserved: socket.socket) -> socket.socket:
    """A process's own socket at the address that `reserve` holds; it listens once the caller does."""
    if not DEALS_OUT:
        return reserved
    host, port = reserved.getsockname()[:2]
    return _bind(host, port, reuse_port=True)


def url(listener: socket.socket) -> str:
    """Where a socket can be reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def url_to_open(listener: socket.socket) -> str:
    """Where a browser on this machine finds it, also if it listens on every address."""
    host, port = listener.getsockname()[:2]
    if not ip_address(host).is_unspecified:
        return url(listener)
    return f"http://[::1]:{port}" if ":" in host else f"http://127.0.0.1:{port}"


def warn_of_open_access(listener: socket.socket) -> None:
    """Warn where a service without keys can be reached from other machines."""
    if not ip_address(listener.getsockname()[0]).is_loopback:
        logger.warning(
            "ANYBODY WHO REACHES %s MAY SEND REQUESTS: there are no keys. Set MATINEE_API_KEYS, or "
            "MATINEE_HOST=127.0.0.1, or let only a proxy that asks for credentials reach this port",
            url(listener),
        )


def _bind(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    bound = socket.socket(_family(host))
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
