"""What a client process saw, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

OK = "ok"
NEVER_SENT = "never sent"
TIMED_OUT = frozenset({"ConnectTimeout", "PoolTimeout", "ReadTimeout", "WriteTimeout", NEVER_SENT})
"""Outcomes that were waited for in vain: how long belongs to the latencies. A refusal comes
quickly, and would flatter them."""


@dataclass
class Samples:
    """The measured requests of one client process, and how well it did itself; lists of one length `[n]`.

    Attributes:
        kinds: Places in `plan.KINDS`.
        outcomes: `OK`, or what went wrong.
        at_seconds: When it was to be sent, from the start of what is measured.
        latencies_ms: From then to the whole answer.
        waits_ms: How much later than intended it was sent, because every connection was busy.
        late_ms: Of each sleep of the process how much later than asked it woke, `[m]`.
        cpu_share: Share of one core that it used.
    """

    kinds: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    at_seconds: list[float] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    cpu_share: float = 0.0

    def add(self, kind: int, outcome: str, at_seconds: float, latency_ms: float, wait_ms: float) -> None:
        """One request."""
        self.kinds.append(kind)
        self.outcomes.append(outcome)
        self.at_seconds.append(at_seconds)
        self.latencies_ms.append(latency_ms)
        self.waits_ms.append(wait_ms)


@dataclass(frozen=True, eq=False)
class Columns:
    """The requests of all client processes; see `Samples`.

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
        """Puts them one after another."""

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
        """Which had a good answer, `[n]`."""
        is_ok: NDArray[np.bool_] = self.outcomes == OK
        return is_ok

    @property
    def is_timed(self) -> NDArray[np.bool_]:
        """Which have a latency to count, `[n]`: good answers, and those waited for in vain."""
        return np.isin(self.outcomes, [OK, *TIMED_OUT])
