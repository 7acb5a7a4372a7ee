"""Measure where the time of one batch goes, and where one query of the index was not enough."""

from __future__ import annotations

from time import perf_counter

from service.telemetry.observer import Fallback, Observer, Stage


class StageTimes:
    """Adds up seconds by stage from the moment it is made, and collects fallbacks."""

    def __init__(self) -> None:
        self._seconds: dict[Stage, float] = {}
        self._fallbacks: list[Fallback] = []
        self._last = perf_counter()

    def lap(self, stage: Stage) -> None:
        """Add the time since the last lap to a stage."""
        now = perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def fallback(self, kind: Fallback) -> None:
        """Note that one query of the index was not enough."""
        self._fallbacks.append(kind)

    def report(self, observer: Observer) -> None:
        """Report all of it to an observer."""
        for stage, seconds in self._seconds.items():
            observer.stage(stage, seconds)
        for kind in self._fallbacks:
            observer.fallback(kind)
