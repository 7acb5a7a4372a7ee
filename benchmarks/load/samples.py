"""Samples of measured requests, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OK = "ok"
NEVER_SENT = "never sent"
TIMED_OUT = frozenset({"ConnectTimeout", "PoolTimeout", "ReadTimeout", "WriteTimeout", NEVER_SENT})
"""Outcomes whose waiting time counts as a latency. Other errors come quickly and would lower latencies."""


@dataclass
class Samples:
    """Measured requests of one client process as lists of length `[n]`, and the client's own timing.

    Attributes:
        kinds: Indices into `plan.KINDS`.
        outcomes: `OK` or the error.
        at_seconds: Due time, from the start of the measurement.
        latencies_ms: From the due time to the complete answer.
        waits_ms: Delay of sending because all connections were busy.
        late_ms: How late the process woke from each sleep, `[m]`.
        cpu_share: Share of one core that the process used.
    """

    kinds: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    at_seconds: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    cpu_share: float = 0.0

    def add(self, kind: int, outcome: str, at_seconds: float, latency_ms: float, wait_ms: float) -> None:
        """Add a request."""
        self.kinds.append(kind)
        self.outcomes.append(outcome)
        self.at_seconds.append(at_seconds)
        self.latencies_ms.append(latency_ms)
        self.waits_ms.append(wait_ms)


@dataclass(frozen=True, eq=False)
class Columns:
    """Requests of all client processes as arrays; see `Samples`.

    Attributes:
        kinds: int64 `[n]`.
        outcomes: str `[n]`.
        at_seconds, latencies_ms, waits_ms: float64 `[n]`.
    """

    kinds: NDArray[np.int64]
    outcomes: NDArray[np.str_]
    at_seconds: NDArray[np.float64]
    latencies_ms: NDArray[np.float64]
    waits_ms: NDArray[np.float64]

    @classmethod
    def of(cls, samples: Sequence[Samples]) -> Columns:
        """Concatenate samples."""

        def column(name: str, dtype: type) -> NDArray[Any]:
            return np.array([value for each in samples for value in getattr(each, name)], dtype)

        return cls(
            kinds=column("kinds", np.int64),
            outcomes=column("outcomes", np.str_),
            at_seconds=column("at_seconds", np.float64),
            latencies_ms=column("latencies_ms", np.float64),
            waits_ms=column("waits_ms", np.float64),
        )

    @property
    def is_ok(self) -> NDArray[np.bool_]:
        """Mask of requests with a good answer, `[n]`."""
        is_ok: NDArray[np.bool_] = self.outcomes == OK
        return is_ok

    @property
    def is_timed(self) -> NDArray[np.bool_]:
        """Mask of requests whose latency counts, `[n]`: good answers and timeouts."""
        return np.isin(self.outcomes, [OK, *TIMED_OUT])
