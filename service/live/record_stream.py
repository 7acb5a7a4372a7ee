"""Split a stream of bytes into records: lines of NDJSON, or rows of CSV below a header."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Sequence
from typing import Protocol

from service.errors import InvalidField

LONGEST_RECORD_BYTES = 65_536


class RecordStream(Protocol):
    """Takes chunks of bytes and gives whole records."""

    def feed(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            InvalidField: A record is too long, or the header is wrong.
        """

    def take(self, most: int, *, at_end: bool = False) -> list[bytes] | list[dict[str, str]] | None:
        """The next records.

        Args:
            most: How many.
            at_end: Whether nothing more comes, so that fewer are given.

        Returns:
            So many; fewer at the end; None where more bytes are needed.
        """


class JsonLines:
    """Lines of NDJSON; empty ones are no records."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Add bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        self._lines += [line for line in lines if line and not line.isspace()]
        _refuse_long(len(self._rest))

    def take(self, most: int, *, at_end: bool = False) -> list[bytes] | None:
        """The next lines."""
        if at_end and self._rest.strip():
            self._lines.append(self._rest)
            self._rest = b""
        if len(self._lines) < most and not at_end:
            return None
        taken, self._lines = self._lines[:most], self._lines[most:]
        return taken


class CsvRows:
    """Rows of CSV as fields by the names in its first row; empty fields are left out.

    Args:
        names: Names that may be in the first row.
        required: Those of them that must be.
    """

    def __init__(self, names: Sequence[str], required: Sequence[str]) -> None:
        self._names = names
        self._required = required
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._columns: list[str] | None = None
        self._rows: list[dict[str, str]] = []

    def feed(self, chunk: bytes) -> None:
        """Add bytes."""
        self._read(self._decoder.decode(chunk))
        _refuse_long(len(self._rest))

    def take(self, most: int, *, at_end: bool = False) -> list[dict[str, str]] | None:
        """The next rows."""
        if at_end and self._rest:
            self._read("\n")
        if len(self._rows) < most and not at_end:
            return None
        taken, self._rows = self._rows[:most], self._rows[most:]
        return taken

    def _read(self, text: str) -> None:
        text = self._rest + text
        end = text.rfind("\n") + 1
        # A line end between quotes ends no row.
        while end and text.count('"', 0, end) % 2:
            end = text.rfind("\n", 0, end - 1) + 1
        whole, self._rest = text[:end], text[end:]
        for fields in csv.reader(whole.splitlines(keepends=True)):
            if not fields:
                continue
            if self._columns is None:
                self._columns = self._checked(fields)
            else:
                self._rows.append(
                    {name: value for name, value in zip(self._columns, fields, strict=False) if value}
                )

    def _checked(self, columns: list[str]) -> list[str]:
        columns = [column.strip() for column in columns]
        missing = [name for name in self._required if name not in columns]
        unknown = [name for name in columns if name not in self._names]
        if missing or unknown or len({*columns}) < len(columns):
            raise InvalidField(
                f"expected a first row of some of {', '.join(self._names)}, each once, with "
                f"{', '.join(self._required)}, got {', '.join(columns)[:200]}",
                field="header",
            )
        return columns


def _refuse_long(length: int) -> None:
    if length > LONGEST_RECORD_BYTES:
        raise InvalidField(
            f"expected records of at most {LONGEST_RECORD_BYTES} bytes, got one that does not end before; "
            "is this "
            "NDJSON or CSV?",
            field="record",
        )
