"""Summary statistics of a load test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.client_limit import client_limits, percentile
from benchmarks.load.plan import KINDS, Plan
from benchmarks.load.samples import Columns, Samples

PERCENTILES = (50, 90, 95, 99, 99.9)


def summarise(plan: Plan, samples: Sequence[Samples]) -> dict[str, Any]:
    """Compute rate, latencies, errors and the client's limits, as JSON values.

    The rate is of good answers within the measured time. Latencies are None if there are none.

    Args:
        plan: The load test.
        samples: Samples of each client process.
    """
    columns = Columns.of(samples)
    timed_ms = columns.latencies_ms[columns.is_timed]
    errors = Counter(columns.outcomes[~columns.is_ok].tolist())
    in_time = columns.is_ok & (columns.at_seconds + columns.latencies_ms / 1000 <= plan.seconds)
    return {
        "requests": len(columns.kinds),
        "requests_per_second": round(int(in_time.sum()) / plan.seconds, 1),
        "latency_ms": _latency(timed_ms),
        "by_kind": {
            name: {
                "requests": int((columns.kinds == kind).sum()),
                "latency_ms": _latency(columns.latencies_ms[columns.is_timed & (columns.kinds == kind)]),
            }
            for kind, name in enumerate(KINDS)
            if (columns.kinds == kind).any()
        },
        "errors": dict(errors.most_common()),
        "error_rate": round(errors.total() / max(len(columns.kinds), 1), 6),
        "client": {
            "cpu_share": [round(each.cpu_share, 3) for each in samples],
            "late_p99_ms": [_rounded(percentile(each.late_ms, 99)) for each in samples],
            "limits": client_limits(plan, samples, columns, percentile(timed_ms, 99)),
        },
    }


def _latency(latencies_ms: NDArray[np.float64]) -> dict[str, float] | None:
    if not len(latencies_ms):
        return None
    return {
        "mean": _rounded(float(latencies_ms.mean())),
        **{f"p{percent:g}": _rounded(percentile(latencies_ms, percent)) for percent in PERCENTILES},
        "max": _rounded(float(latencies_ms.max())),
    }


def _rounded(milliseconds: float) -> float:
    return round(milliseconds, 3)
