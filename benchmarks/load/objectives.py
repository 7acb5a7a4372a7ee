"""Service level objectives of a load test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Objectives:
    """Limits; None for no limit.

    Attributes:
        p99_ms: Largest p99 latency.
        max_error_rate: Largest share of requests without a good answer.
        min_rps: Smallest rate of good answers per second.
    """

    p99_ms: float | None = None
    max_error_rate: float | None = None
    min_rps: float | None = None

    def missed(self, result: dict[str, Any]) -> list[str]:
        """Describe each objective that the figures of `summary.summarise` miss."""
        latency, error_rate, rate = (
            result["latency_ms"],
            result["error_rate"],
            result["requests_per_second"],
        )
        missed = []
        if self.p99_ms is not None and (latency is None or latency["p99"] > self.p99_ms):
            found = "no latency at all" if latency is None else f"{latency['p99']:g} ms"
            missed.append(f"p99 of at most {self.p99_ms:g} ms: {found}")
        if self.max_error_rate is not None and error_rate > self.max_error_rate:
            missed.append(f"an error rate of at most {self.max_error_rate:g}: {error_rate:g}")
        if self.min_rps is not None and rate < self.min_rps:
            missed.append(f"at least {self.min_rps:g} requests/s: {rate:g}")
        return missed
