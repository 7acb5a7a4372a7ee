"""Progress of a running load test: a live line on a terminal, else a line every few seconds."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from benchmarks.load.client_limit import percentile
from benchmarks.load.client_process import Tick
from benchmarks.load.plan import Plan

_WINDOW_SECONDS = 2.0
_LINE_SECONDS = 5.0


class Progress:
    """Context manager that shows recent rate, latencies and errors.

    Args:
        plan: The load test.
        console: Console to print to.
    """

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._recent: deque[tuple[float, Tick]] = deque()
        self._errors = 0
        self._next_line = -plan.warm_up_seconds + _LINE_SECONDS
        self._live = Live(console=console, transient=True, auto_refresh=False)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def tick(self, at_seconds: float, tick: Tick) -> None:
        """Add the progress of one process; see `run.run`."""
        self._errors += tick[1]
        self._recent.append((at_seconds, tick))
        while self._recent[0][0] < at_seconds - _WINDOW_SECONDS:
            self._recent.popleft()
        if self._console.is_terminal:
            self._live.update(Text(self._line(at_seconds)), refresh=True)
        elif at_seconds >= self._next_line:
            self._next_line += _LINE_SECONDS
            self._console.print(self._line(at_seconds), highlight=False)

    def _line(self, at_seconds: float) -> str:
        ticks = [tick for _, tick in self._recent]
        latencies_ms = [each for tick in ticks for each in tick[2]]
        span = min(_WINDOW_SECONDS, at_seconds + self._plan.warm_up_seconds)
        phase = "warm-up" if at_seconds < 0 else f"{at_seconds:4.0f} of {self._plan.seconds:g} s"
        return (
            f"{phase}: {sum(tick[0] for tick in ticks) / max(span, 0.001):,.0f} requests/s, "
            f"p50 {percentile(latencies_ms, 50):.1f} ms, p99 {percentile(latencies_ms, 99):.1f} ms, "
            f"{self._errors} errors"
        )
