"""How delimited text is written: what stands between fields, quotation marks, a header or none."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from training.data.column_names import known

# Reviews are longer than the default, and what follows a mark that never closes is.
csv.field_size_limit(2**31 - 1)

_SEPARATORS = ("\t", ",", ";", "|", "::", " ")
_SAMPLE_BYTES = 1 << 17
_SAMPLE_ROWS = 1_000
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DATE = re.compile(r"\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*")
# Excel's own first line, and comments of KONECT's and other files.
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?\s*\Z', re.IGNORECASE)
_COMMENT = (b"%", b"#")
_MOST_COMMENTS = 100


@dataclass(frozen=True)
class Dialect:
    """Format of a delimited text file.

    Attributes:
        separator: Text between fields.
        quoted: Whether fields may be in double quotes; otherwise quotes are ordinary characters.
        escaped: Whether a quote in a quoted field has a backslash before it, rather than being doubled.
        has_header: Whether the first row names the columns.
        num_skipped: Lines before the first row that are no rows, such as comments.
    """

    separator: str
    quoted: bool = False
    escaped: bool = False
    has_header: bool = False
    num_skipped: int = 0

    @property
    def noun(self) -> str:
        """Adjective for messages, such as 'tab-separated'."""
        words = {"\t": "tab", ",": "comma", " ": "space"}
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
        )


UNIT_SEPARATOR = "\x1f"
"""Replaces separators of several characters, which neither `csv` nor Arrow support."""


def detect(content: bytes) -> Dialect | None:
    """Detect how text is written, from its beginning.

    Args:
        content: Text in UTF-8.

    Returns:
        None if no separator divides most lines into equally many fields.
    """
    num_skipped, given, start = _preamble(content)
    text = head(content, start)
    best: tuple[tuple[float, ...], Dialect] | None = None
    has_quotes, has_escapes = b'"' in content, b'\\"' in content
    for separator in (given,) if given else _SEPARATORS:
        if separator not in text:
            continue
        quoted = _is_quoted(content, separator) if has_quotes else separator in {",", ";"}
        dialect = Dialect(separator, num_skipped=num_skipped, quoted=quoted)
        if dialect.quoted and has_escapes:
            dialect = _with_escapes(dialect, content)
        rows = sample_rows(text, dialect)
        num_fields, share = _usual(rows)
        if num_fields < 2 or (share < 0.5 and not given):
            continue
        if separator == " " and not (share == 1 and _are_numbers(rows)):
            continue
        # What names columns is right; then what divides the most rows alike, and into the most fields.
        rank = (known(rows[0]) if len(rows[0]) > 1 else 0, round(share, 2), num_fields)
        if best is None or rank > best[0]:
            best = rank, replace(dialect, has_header=_has_header(rows))
    return best[1] if best else None


def head(content: bytes, start: int = 0) -> str:
    """Return the first whole lines of text, or all of it."""
    part = content[start : start + _SAMPLE_BYTES]
    if start + len(part) < len(content):
        part = part[: max(part.rfind(b"\n"), part.rfind(b"\r")) + 1] or part
    return part.decode("utf-8", "replace")


def sample_rows(text: str, dialect: Dialect) -> list[list[str]]:
    """Return the first rows of text, without the empty ones."""
    return list(islice(filter(None, dialect.rows(text_lines(text))), _SAMPLE_ROWS))


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


def _usual(rows: list[list[str]]) -> tuple[int, float]:
    """Return the most frequent number of fields, and its share of the rows."""
    counts = Counter(len(row) for row in rows)
    if not counts:
        return 0, 0.0
    num_fields, num_rows = counts.most_common(1)[0]
    return num_fields, num_rows / len(rows)


def _preamble(content: bytes) -> tuple[int, str | None, int]:
    """Return the number of lines that are no rows, the separator that one names, and where rows begin."""
    start = num_lines = 0
    while num_lines < _MOST_COMMENTS:
        end = content.find(b"\n", start)
        line = content[start : end if end >= 0 else len(content)]
        if found := _SEPARATOR_LINE.match(line):
            return num_lines + 1, found[1].decode("latin-1"), end + 1
        if not (line.startswith(_COMMENT) and end >= 0):
            return num_lines, None, start
        # A header may begin so: '#user,item'.
        if known(re.split(r"[^\w-]+", line[1:].decode("utf-8", "replace"))) > 1:
            return num_lines, None, start
        num_lines, start = num_lines + 1, end + 1
    return 0, None, 0  # ids that begin so


def _is_quoted(content: bytes, separator: str) -> bool:
    """Whether quotation marks enclose fields: always between commas, elsewhere if as many open as close."""
    if separator in {",", ";"}:
        return True
    mark = separator.encode()
    opening = content.count(mark + b'"') + content.count(b'\n"') + content.startswith(b'"')
    ends = content.count(b'"\n') + content.count(b'"\r') + content.endswith(b'"')
    return opening > 0 and opening == content.count(b'"' + mark) + ends


def _with_escapes(dialect: Dialect, content: bytes) -> Dialect:
    """Whether backslashes escape quotes: if more of the lines that have both are then of equal length."""
    lines = (line for line in content.splitlines() if b'\\"' in line)
    some = [line.decode("utf-8", "replace") for line in islice(lines, _SAMPLE_ROWS)]
    escaped = replace(dialect, escaped=True)
    num_fields, _ = _usual(sample_rows(head(content), dialect))

    def right(one: Dialect) -> int:
        return sum(1 for line in some for row in islice(one.rows([line]), 1) if len(row) == num_fields)

    return escaped if right(escaped) > right(dialect) else dialect


def _are_numbers(rows: list[list[str]]) -> bool:
    """Whether all fields are numbers, but for a first row that names columns."""
    others = rows[1:] if known(rows[0]) > 1 else rows
    return all(_NUMBER.fullmatch(one) for row in others for one in row)


def _has_header(rows: list[list[str]]) -> bool:
    first, others = rows[0], rows[1:]
    if any(_is_value(one) for one in first):
        return False
    if known(first):
        return True
    columns = zip(*(row for row in others if len(row) == len(first)), strict=True)
    return any(sum(map(_is_value, column)) > 0.9 * len(column) for column in columns)


def _is_value(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text) or _DATE.fullmatch(text))
