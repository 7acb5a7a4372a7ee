"""How delimited text is written, and its first rows."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

# Reviews are longer than the default, and what follows a mark that never closes is.
csv.field_size_limit(2**31 - 1)

_SAMPLE_BYTES = 1 << 17
SAMPLE_ROWS = 1_000


@dataclass(frozen=True)
class Dialect:
    """Format of a delimited text file.

    Attributes:
        separator: Text between fields.
        quoted: Whether fields may be in quotation marks; otherwise quotes are ordinary characters.
        escaped: Whether a quote in a quoted field has a backslash before it, rather than being doubled.
        has_header: Whether the first row names the columns.
        num_skipped: Lines before the first row that are no rows, such as comments.
        mark: The quotation mark, where there are any.
        strict: Whether `rows` refuses text between a mark that ends a field and the separator.
    """

    separator: str
    quoted: bool = False
    escaped: bool = False
    has_header: bool = False
    num_skipped: int = 0
    strict: bool = False
    mark: str = '"'

    @property
    def noun(self) -> str:
        """Adjective for messages, such as 'tab-separated'."""
        words = {"\t": "tab", ",": "comma", " ": "space", "\x01": "control-A"}
        return words.get(self.separator, f"'{self.separator}'") + "-separated"

    def without_header(self) -> Dialect:
        """Return the same of text whose first row is as any other."""
        return replace(self, has_header=False)

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Split lines, whose ends are still on them, into rows of fields; an empty line is an empty row."""
        if not self.quoted:
            return (_split(line, self.separator) for line in lines)
        if len(self.separator) > 1:
            lines = (line.replace(self.separator, UNIT_SEPARATOR) for line in lines)
        return csv.reader(
            lines,
            delimiter=self.separator if len(self.separator) == 1 else UNIT_SEPARATOR,
            escapechar="\\" if self.escaped else None,
            doublequote=not self.escaped,
            strict=self.strict,
            quotechar=self.mark,
        )


UNIT_SEPARATOR = "\x1f"
"""Replaces separators of several characters, which neither `csv` nor Arrow support."""


def head(content: bytes, start: int = 0) -> str:
    """Return the first whole lines of text, or all of it."""
    part = content[start : start + _SAMPLE_BYTES]
    if start + len(part) < len(content):
        part = part[: max(part.rfind(b"\n"), part.rfind(b"\r")) + 1] or part
    return part.decode("utf-8", "replace")


def sample_rows(text: str, dialect: Dialect) -> list[list[str]]:
    """Return the first rows of text, without the empty ones."""
    return list(islice(filter(None, dialect.rows(text_lines(text))), SAMPLE_ROWS))


def text_lines(text: str) -> Iterator[str]:
    """Split at line feeds and carriage returns only, not at the separators of Unicode as `splitlines`."""
    start = 0
    for end in re.finditer(r"\r\n|\n|\r", text):
        yield text[start : end.end()]
        start = end.end()
    if start < len(text):
        yield text[start:]


def _split(line: str, separator: str) -> list[str]:
    row = line.rstrip("\r\n")
    return row.split(separator) if row else []


def usual_length(rows: Sequence[Sequence[str]]) -> int:
    """Return the most frequent number of fields, of several the first; 0 without rows."""
    counts = Counter(len(row) for row in rows)
    return counts.most_common(1)[0][0] if counts else 0
