"""Whether what was measured is the client rather than the service."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.plan import Plan
from benchmarks.load.samples import Columns, Samples

MOST_CPU_SHARE = 0.9
"""Of a core: beyond, a process of one thread has nothing left to give."""

LATE_SHARE = 0.2
"""Of the p99 latency, or one millisecond where that is more, which the 99th percentile of lateness may be."""

_BUSY_WAIT_MS = 1.0


def client_limits(plan: Plan, samples: Sequence[Samples], columns: Columns, p99_ms: float) -> list[str]:
    """Sentences that say how the client bounds the figures; none where it does not.

    Args:
        plan: The load test.
        samples: By client process what it saw.
        columns: The same together.
        p99_ms: Latency.
    """
    limits = []
    for number, each in enumerate(samples, 1):
        if each.cpu_share > MOST_CPU_SHARE:
            limits.append(
                f"client process {number} used {each.cpu_share:.0%} of a core: the client is the limit, the "
                "service may do more; ask for more --processes, or drive it with wrk"
            )
        late_ms = percentile(each.late_ms, 99)
        if late_ms > max(LATE_SHARE * p99_ms, 1):
            limits.append(
                f"client process {number} woke {late_ms:.1f} ms late (99th percentile), which latencies "
                "include: the machine or the process is too busy; ask for less, or from another machine"
            )
    if plan.rate is None or not len(columns.waits_ms):
        return limits
    waited = float(np.mean(columns.waits_ms > _BUSY_WAIT_MS))
    if waited > 0.01:
        limits.append(
            f"{waited:.0%} of the requests were sent more than {_BUSY_WAIT_MS:g} ms after they were to be, "
            f"all {plan.connections} connections being busy: the service does not keep up with {plan.rate:g} "
            "requests/s, or ask with more --connections; latencies include the wait"
        )
    return limits


def percentile(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    """The smallest of the values that so many percent do not exceed; 0 of none."""
    # Rounded, or 99.9 % of a thousand would be a little more than 999.
    rank = math.ceil(round(percent / 100 * len(values), 6))
    return float(np.sort(values)[max(rank, 1) - 1]) if len(values) else 0.0
