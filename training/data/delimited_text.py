"""How delimited text is written, and a plain reader that counts its lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from training.errors import DataError


@dataclass(frozen=True)
class Format:
    """How rows are written.

    Attributes:
      separator: stands between fields.
      fields: their names in order; none where the first row of a file names them.
      quoted: fields may stand in double quotes, and the text is UTF-8. Otherwise quotes mean nothing and the
        text may be Latin-1, as that of the older MovieLens files is.
    """

    separator: str
    fields: tuple[str, ...] = ()
    quoted: bool = False

    @property
    def noun(self) -> str:
        """What fields are said to be: 'tab-separated'."""
        return {"\t": "tab", ",": "comma"}.get(self.separator, f"'{self.separator}'") + "-separated"


def as_utf8(content: bytes, row_format: Format) -> bytes:
    """The same text in UTF-8; text that may be quoted is taken to be so already.

    Args:
      content: in UTF-8 or, unless it may be quoted, in Latin-1.
      row_format: how its rows are written.
    """
    if row_format.quoted or content.isascii():
        return content
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1").encode()
    return content


def records(file: str, content: bytes, row_format: Format) -> Iterator[tuple[int, list[str]]]:
    """Every row, a header too, with the line it starts in; empty lines are no rows.

    It finds the same rows as Arrow, which reads faster but cannot name a line.

    Args:
      file: the file as the user knows it, for messages.
      content: its text in UTF-8.
      row_format: how its rows are written.

    Yields:
      The line, the first being 1, and the fields.

    Raises:
      DataError: a field is longer than any text should be.
    """
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="replace", newline="")
    if not row_format.quoted:
        for line, one in enumerate(text, start=1):
            if row := one.rstrip("\r\n"):
                yield line, row.split(row_format.separator)
        return
    reader, line = csv.reader(text, delimiter=row_format.separator), 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError.at(file, line, f"expected comma-separated values, got: {error}") from None
