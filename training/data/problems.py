"""Everything that is wrong with the rows of files, gathered before any of it is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from training.errors import DataError

MOST_LISTED = 20
"""Rows of one kind that are listed; the others are counted."""


class Lines(Protocol):
    """A file whose rows have places."""

    @property
    def label(self) -> str:
        """The file's name for messages."""

    def places(self, rows: Sequence[int]) -> list[str]:
        """Where rows are, such as 'line 5'."""


@dataclass(frozen=True)
class _Kind:
    file: Lines
    expected: str
    fix: str
    rows: NDArray[np.int64]
    got: tuple[str, ...]  # of the first rows

    def listed(self) -> list[str]:
        places = self.file.places([int(row) for row in self.rows[:MOST_LISTED]])
        return [
            f"{self.file.label} {place}: expected {self.expected}, got {got}; {self.fix}"
            for place, got in zip(places, self.got, strict=True)
        ]


@dataclass(frozen=True)
class _BrokenRows:
    """Rows with too few or too many fields, which are not among the rows that were read."""

    listed: Callable[[], list[str]]
    num_rows: int


@dataclass
class Problems:
    """Problems with rows, by kind.

    Args:
        skip_rows: Whether rows with problems are left out, rather than the files refused.
    """

    skip_rows: bool = False
    _kinds: list[_Kind] = field(default_factory=list)
    _broken: list[_BrokenRows] = field(default_factory=list)

    def add(
        self, file: Lines, rows: NDArray[np.integer[Any]], expected: str, got: Callable[[int], str], fix: str
    ) -> None:
        """Note rows of one kind; none is no problem.

        Args:
            file: Where they are.
            rows: Their positions among the rows that were read, ascending.
            expected: What was expected there.
            got: What a row has instead.
            fix: How to correct it, or which option says what it means.
        """
        if len(rows):
            first = tuple(got(int(row)) for row in rows[:MOST_LISTED])
            self._kinds.append(_Kind(file, expected, fix, rows.astype(np.int64), first))

    def add_broken(self, num_rows: int, listed: Callable[[], list[str]]) -> None:
        """Note rows that could not be read at all.

        Args:
            num_rows: How many.
            listed: Returns a message for each of the first `MOST_LISTED`.
        """
        if num_rows:
            self._broken.append(_BrokenRows(listed, num_rows))

    def kept(self, file: Lines, num_rows: int) -> NDArray[np.bool_]:
        """Return which rows of a file have no problem; shape [num_rows]."""
        kept = np.ones(num_rows, np.bool_)
        for kind in self._kinds:
            if kind.file is file:
                kept[kind.rows] = False
        return kept

    @property
    def num_rows(self) -> int:
        """Number of rows with problems, a row with two problems once."""
        files = {id(kind.file): kind.file for kind in self._kinds}
        of_files = (
            np.unique(np.concatenate([kind.rows for kind in self._kinds if kind.file is file]))
            for file in files.values()
        )
        return sum(len(rows) for rows in of_files) + sum(broken.num_rows for broken in self._broken)

    def listed(self) -> list[str]:
        """Return a message for each of the first rows of each kind, and one for the rest of a kind."""
        messages = []
        for broken in self._broken:
            messages += _with_rest(broken.listed(), broken.num_rows)
        for kind in self._kinds:
            messages += _with_rest(kind.listed(), len(kind.rows))
        return messages

    def refuse(self) -> None:
        """End the reading if there are problems and their rows are not to be left out.

        Raises:
            DataError: One problem in one line, or all of them after a line that counts them.
        """
        if self.skip_rows or not (self._kinds or self._broken):
            return
        messages = self.listed()
        if len(messages) == 1:
            raise DataError(messages[0])
        head = f"{self.num_rows:,} rows cannot be read; correct them, or leave them out with --skip-bad-rows"
        raise DataError("\n  ".join([head, *messages]))


def _with_rest(messages: list[str], num_rows: int) -> list[str]:
    rest = num_rows - len(messages)
    return (
        [*messages, f"... and {rest:,} more like {'this' if len(messages) == 1 else 'these'}"]
        if rest
        else messages
    )
