"""Show the stages of a command, each with its name, a progress bar and its time."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

# A notebook says that it is a terminal, and keeps every state of a bar.
_IS_TERMINAL = False if "ipykernel" in sys.modules else None

console = Console(stderr=True, highlight=False, force_jupyter=False, force_terminal=_IS_TERMINAL)
"""Progress goes to standard error, so that standard output holds results only."""

results = Console(
    highlight=False,
    force_jupyter=False,
    force_terminal=_IS_TERMINAL,
    width=None if sys.stdout.isatty() else 160,
)
"""Tables of results go to standard output; in a file no terminal's width cuts them."""


SILENT_SECONDS = 10.0
"""Off a terminal a stage that has printed nothing for so long prints how long it has taken."""


class Stage:
    """A running stage."""

    def __init__(self, progress: Progress, task: TaskID, name: str) -> None:
        self._progress = progress
        self._task = task
        self._name = name
        self._started = self._printed_at = time.perf_counter()
        self._ended = threading.Event()
        if not console.is_terminal:
            console.print(f"{name} ...")
            threading.Thread(target=self._break_silence, name="progress", daemon=True).start()

    def advance(self, note: str = "", *, milestone: bool = False) -> None:
        """Count one step; show `note` beside the bar, or off a terminal print it if a `milestone`."""
        self._progress.update(self._task, advance=1, note=note)
        if milestone:
            self._print(f"  {note}")

    def note(self, text: str) -> None:
        """Show what was just done within a step; off a terminal print it."""
        self._progress.update(self._task, note=text)
        self._print(f"    {text}")

    def end(self, *, failed: bool) -> None:
        """Stop showing the stage; off a terminal print its seconds unless it failed."""
        self._ended.set()
        if not failed:
            self._print(f"{self._name}: {time.perf_counter() - self._started:.1f} s")

    def _print(self, line: str) -> None:
        self._printed_at = time.perf_counter()
        if not console.is_terminal:
            console.print(line, markup=False, soft_wrap=True)

    def _break_silence(self) -> None:
        """Print a sign of life wherever a step takes long."""
        while not self._ended.wait(max(0.0, self._printed_at + SILENT_SECONDS - time.perf_counter())):
            now = time.perf_counter()
            if now - self._printed_at >= SILENT_SECONDS:
                self._print(f"  {self._name}: {now - self._started:.0f} s so far")


@contextmanager
def stage(name: str, total: int = 1) -> Iterator[Stage]:
    """Show a stage of `total` steps until the block ends.

    On a terminal as a bar; elsewhere as a line at the beginning, one with the seconds at the end, and one
    whenever there was none for `SILENT_SECONDS`.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<32}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        running = Stage(progress, progress.add_task(name, total=total, note=""), name)
        failed = True
        try:
            yield running
            failed = False
        finally:
            running.end(failed=failed)
