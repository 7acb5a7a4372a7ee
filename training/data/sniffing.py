"""Detect how delimited text is written: what stands between fields, quotation marks, a header or none."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from itertools import islice

from training.data.column_names import known
from training.data.dialect import SAMPLE_ROWS, Dialect, head, sample_rows, usual_length

_SEPARATORS = ("\t", ",", ";", "|", "::", "\x01", "~", "^", " ")
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DATE = re.compile(r"\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T].*)?|\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*")
# Excel's own first line, and comments of KONECT's and other files.
_SEPARATOR_LINE = re.compile(rb'"?sep=(.)"?\s*\Z', re.IGNORECASE)
_COMMENT = (b"%", b"#")
_MOST_COMMENTS = 100


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
        if not has_quotes and _has_apostrophes(text, separator):
            dialect = replace(dialect, quoted=True, mark="'")
        if dialect.quoted and has_escapes:
            dialect = _with_escapes(dialect, content)
        rows = sample_rows(text, dialect)
        num_fields = usual_length(rows)
        share = sum(1 for row in rows if len(row) == num_fields) / max(len(rows), 1)
        if num_fields < 2 or (share < 0.5 and not given):
            continue
        if separator == " " and not (share == 1 and _are_numbers(rows)):
            continue
        # What names columns is right; then what divides the most rows alike, and into the most fields.
        rank = (known(rows[0]) if len(rows[0]) > 1 else 0, round(share, 2), num_fields)
        if best is None or rank > best[0]:
            best = rank, replace(dialect, has_header=_has_header(rows))
    return best[1] if best else None


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


def _has_apostrophes(text: str, separator: str) -> bool:
    """Whether apostrophes enclose the fields of the first line, as in files of PostgreSQL and SAS."""
    line = text.split("\n", 1)[0].rstrip("\r")
    inner = f"'{separator}'"
    return line.startswith("'") and line.endswith("'") and line.count(separator) == line.count(inner) > 0


def _with_escapes(dialect: Dialect, content: bytes) -> Dialect:
    """Whether backslashes escape quotes: if more lines that have both are whole and of equal length then."""
    lines = (line for line in content.splitlines() if b'\\"' in line)
    some = [line.decode("utf-8", "replace") for line in islice(lines, SAMPLE_ROWS)]
    escaped = replace(dialect, escaped=True)
    num_fields = usual_length(sample_rows(head(content), dialect))

    def right(one: Dialect) -> int:
        return sum(_length(line, replace(one, strict=True)) == num_fields for line in some)

    return escaped if right(escaped) > right(dialect) else dialect


def _length(line: str, dialect: Dialect) -> int:
    """Return the number of fields of a line, 0 if text follows a mark that ends a field."""
    try:
        return len(next(iter(dialect.rows([line])), []))
    except csv.Error:
        return 0


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
