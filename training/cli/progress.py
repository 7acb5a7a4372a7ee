"""Show the stages of a command, each with its name, a progress bar and its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)
"""Progress goes to standard error, so that standard output holds results only."""

results = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
"""Tables of results go to standard output; in a file no terminal's width cuts them."""


class Stage:
    """A running stage."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, note: str = "", *, milestone: bool = False) -> None:
        """Count one step; show `note` beside the bar, or off a terminal print it if a `milestone`."""
        self._progress.update(self._task, advance=1, note=note)
        if milestone and not console.is_terminal:
            console.print(f"  {note}", markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Show what was just done within a step; off a terminal print it."""
        self._progress.update(self._task, note=text)
        if not console.is_terminal:
            console.print(f"    {text}", markup=False, soft_wrap=True)


@contextmanager
def stage(name: str, total: int = 1) -> Iterator[Stage]:
    """Show a stage of `total` steps until the block ends.

    On a terminal as a bar; elsewhere as a line at the beginning and one with the seconds at the end.
    """
    started = time.perf_counter()
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    if not console.is_terminal:
        console.print(f"{name} ...")
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield Stage(progress, progress.add_task(name, total=total, note=""))
    if not console.is_terminal:
        console.print(f"{name}: {time.perf_counter() - started:.1f} s")
