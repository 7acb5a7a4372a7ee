"""Parameters of a load test."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("known", "cold_start", "filter", "rating")
"""Kinds of requests: recommendations for a known user, for a cold-start user with a history, for a known user
with a filter; a predicted rating."""

MOST_CONNECTIONS = 1_000
"""Most connections of one client process: it uses `select`, the only selector that wakes on time, which is
limited to 1,024 files."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Parameters of a load test.

    Attributes:
        url: URL of the service.
        connections: Connections of all client processes together.
        processes: Number of client processes.
        rate: Arrivals per second, regardless of the answers (open loop); None: each connection sends the next
            request after each answer (closed loop).
        warm_up_seconds: Load before the measurement.
        seconds: Load that is measured.
        timeout_seconds: Timeout of a request.
        mix: Weights of `KINDS`.
        seed: Random seed of the requests.
        api_key: Sent as `X-API-Key`.
    """

    url: str
    connections: int = 16
    processes: int = 2
    rate: float | None = None
    warm_up_seconds: float = 2.0
    seconds: float = 20.0
    timeout_seconds: float = 10.0
    mix: tuple[float, ...] = (50, 20, 10, 20)
    seed: int = 0
    api_key: str | None = None

    def __post_init__(self) -> None:
        """Validate the parameters.

        Raises:
            ValueError: A parameter is invalid; the message names the option.
        """
        if not 1 <= self.processes <= self.connections:
            raise ValueError(
                f"--processes must be from 1 to the {self.connections} connections, got {self.processes}"
            )
        if self.connections > MOST_CONNECTIONS * self.processes:
            raise ValueError(
                f"--connections must be at most {MOST_CONNECTIONS} for each of {self.processes} processes, "
                f"got {self.connections}: use more --processes"
            )
        if self.seconds <= 0 or self.warm_up_seconds < 0 or self.timeout_seconds <= 0:
            raise ValueError(
                f"--seconds and --timeout-seconds must be above 0, --warm-up-seconds at least 0, got "
                f"{self.seconds}, {self.timeout_seconds}, {self.warm_up_seconds}"
            )
        if self.rate is not None and self.rate <= 0:
            raise ValueError(f"--rate must be above 0 requests/s, got {self.rate}")
        if len(self.mix) != len(KINDS) or min(self.mix) < 0 or sum(self.mix) <= 0:
            raise ValueError(f"--mix must be weights of {', '.join(KINDS)}, not all 0, got {self.mix}")

    def connections_of(self, number: int) -> int:
        """Return the number of connections of a client process."""
        return len(range(number, self.connections, self.processes))

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values, without the key."""
        document = asdict(self) | {"mix": dict(zip(KINDS, self.mix, strict=True))}
        del document["api_key"]
        return document
