"""Detect that the load generator, rather than the service, limited the figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.plan import Plan
from benchmarks.load.samples import Columns, Samples

MOST_CPU_SHARE = 0.9
"""Share of a core above which a single-threaded client process is saturated."""

LATE_SHARE = 0.2
"""Largest p99 of lateness, as a share of the p99 latency; at least one millisecond."""

_BUSY_WAIT_MS = 1.0


def client_limits(plan: Plan, samples: Sequence[Samples], columns: Columns, p99_ms: float) -> list[str]:
    """Describe how the client limited the figures; empty if it did not.

    Args:
        plan: The load test.
        samples: Samples of each client process.
        columns: All samples together.
        p99_ms: p99 latency.
    """
    limits = []
    for number, each in enumerate(samples, 1):
        if each.cpu_share > MOST_CPU_SHARE:
            limits.append(
                f"client process {number} used {each.cpu_share:.0%} of a core: the client is the limit, not "
                "the service; use more --processes, or wrk"
            )
        late_ms = percentile(each.late_ms, 99)
        if late_ms > max(LATE_SHARE * p99_ms, 1):
            limits.append(
                f"client process {number} woke {late_ms:.1f} ms late (99th percentile), which latencies "
                "include: the machine or the process is too busy; lower the rate, or use another machine"
            )
    if plan.rate is None or not len(columns.waits_ms):
        return limits
    waited = float(np.mean(columns.waits_ms > _BUSY_WAIT_MS))
    if waited > 0.01:
        limits.append(
            f"{waited:.0%} of the requests were sent more than {_BUSY_WAIT_MS:g} ms late, because all "
            f"{plan.connections} connections were busy: the service does not keep up with {plan.rate:g} "
            "requests/s, or more --connections are needed; latencies include the wait"
        )
    return limits


def percentile(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    """Return the nearest-rank percentile of the values; 0 without values."""
    # Rounded, because 99.9 % of 1,000 is a little more than 999 in floating point.
    rank = math.ceil(round(percent / 100 * len(values), 6))
    return float(np.sort(values)[max(rank, 1) - 1]) if len(values) else 0.0
