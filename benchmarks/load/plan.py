"""What a load test is to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("known", "stranger", "filter", "rating")
"""Kinds of requests: recommendations for a known user, for a stranger with a history, for a known user with a
filter; a predicted rating."""

MOST_CONNECTIONS = 1_000
"""Of one client process: it waits by `select`, which knows 1,024 files, because that alone wakes to the
microsecond."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A load test.

    Attributes:
        url: Of the service.
        connections: All client processes together.
        processes: Client processes.
        rate: Requests/s that arrive whatever the answers do (open loop); None: each connection asks again
            when it is answered (closed loop).
        warm_up_seconds: Load that is not measured, before.
        seconds: Load that is measured.
        timeout_seconds: How long one answer is waited for.
        mix: By kind of `KINDS` its weight.
        seed: Of the requests.
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
        """Refuses what cannot be done.

        Raises:
            ValueError: Names the option and says what was expected.
        """
        if not 1 <= self.processes <= self.connections:
            raise ValueError(
                f"--processes must be from 1 to the {self.connections} connections, got {self.processes}"
            )
        if self.connections > MOST_CONNECTIONS * self.processes:
            raise ValueError(
                f"--connections must be at most {MOST_CONNECTIONS} for each of {self.processes} processes, "
                f"got {self.connections}: ask for more --processes"
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
        """How many connections the client process of this number has."""
        return len(range(number, self.connections, self.processes))

    def to_document(self) -> dict[str, Any]:
        """As JSON values, without the key."""
        document = asdict(self) | {"mix": dict(zip(KINDS, self.mix, strict=True))}
        del document["api_key"]
        return document
