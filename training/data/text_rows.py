"""The rows of delimited text with their lines, which Arrow does not report."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np

from training.data.dialect import Dialect, head, text_lines

_LINE_FEED = 10


class TextRows:
    """Rows of text in UTF-8: the same as Arrow finds. Empty lines are not rows, but count as lines.

    Args:
        content: The whole file.
        dialect: How it is written.
    """

    def __init__(self, content: bytes, dialect: Dialect) -> None:
        self._content = content
        self._dialect = dialect
        self.start = 0
        self._first_line = 1
        for _ in range(dialect.num_skipped):
            self.start = content.index(b"\n", self.start) + 1
            self._first_line += 1
        if dialect.has_header:
            self._skip_header()

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Iterate over the rows below the header, with the line each begins in."""
        content = io.BytesIO(self._content)
        content.seek(self.start)
        line, num_lines = self._first_line, 0

        def counted() -> Iterator[str]:
            nonlocal num_lines
            for one in io.TextIOWrapper(content, encoding="utf-8", errors="replace", newline=""):
                num_lines += 1
                yield one

        for record in self._dialect.rows(counted()):
            if record:
                yield line, record
            line = self._first_line + num_lines

    def lines(self, rows: Sequence[int], num_fields: int, *, any_broken: bool) -> list[int]:
        """Return the lines of rows.

        Args:
            rows: Positions among the rows that have `num_fields` fields.
            num_fields: How many that is.
            any_broken: Whether there are others.
        """
        if not (any_broken or (self._dialect.quoted and self._dialect.mark.encode() in self._content)):
            return self._lines_of_simple_text(rows)
        wanted, lines, row = set(rows), dict[int, int](), 0
        for line, record in self:
            if len(record) == num_fields:
                if row in wanted:
                    lines[row] = line
                    if len(lines) == len(wanted):
                        break
                row += 1
        return [lines[row] for row in rows]

    def line_of_open_quote(self) -> int | None:
        """Return the line of a row whose quotation mark never closes: the rest of the file is its field."""
        line, last = 0, [""]
        for line, last in self:  # noqa: B007 the last ones
            pass
        return line if last[-1].endswith(("\n", "\r")) else None

    def _lines_of_simple_text(self, rows: Sequence[int]) -> list[int]:
        """Count quickly where each line is a row or empty."""
        text = self._content[self.start :].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        ends = np.append(np.flatnonzero(np.frombuffer(text, np.uint8) == _LINE_FEED), len(text))
        lengths = np.diff(ends, prepend=-1) - 1
        full = np.flatnonzero(lengths > 0)
        return [self._first_line + int(full[row]) for row in rows]

    def _skip_header(self) -> None:
        consumed = []

        def consuming() -> Iterator[str]:
            for line in text_lines(head(self._content, self.start)):
                consumed.append(line)
                yield line

        next(filter(None, self._dialect.rows(consuming())))
        self.start += len("".join(consumed).encode())
        self._first_line += len(consumed)
