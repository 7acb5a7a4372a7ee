"""Columns of delimited text, parsed by Arrow, with errors that name the line."""

from __future__ import annotations

import math
import re
from typing import NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from training.data.delimited_text import Format, as_utf8, records
from training.errors import DataError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Replaces separators of several characters, which Arrow does not support.
_UNIT_SEPARATOR = "\x1f"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# At most 18 digits, which fit 64 bits.
_INTEGER = r"^-?[0-9]{1,18}$"


class Rows:
    """Rows of one file. Empty lines are not rows, but count as lines.

    Args:
        file: The file's name for messages.
        content: Its bytes.
        row_format: Its format.
        columns: Fields to read; others are ignored.

    Raises:
        DataError: The file is empty or not text, lacks a column, or a row has too few or too many fields.
    """

    def __init__(self, file: str, content: bytes, row_format: Format, columns: tuple[str, ...]) -> None:
        self.file = file
        self._format = row_format
        self._content = as_utf8(content.removeprefix(_BYTE_ORDER_MARK), row_format)
        if not self._content or self._content.isspace():
            raise DataError(f"{file}: expected rows, got an empty file; fetch or export it again")
        fields = row_format.fields or self._header(columns)
        self._table = self._read(fields, columns)
        if row_format.quoted:
            self._refuse_line_breaks(columns)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def texts(self, column: str) -> list[str]:
        """Return a column as Python strings, shape [num_rows]; for files of moderate size."""
        values: list[str] = self._table[column].to_pylist()
        return values

    def codes(self, column: str) -> tuple[NDArray[np.int32], list[str]]:
        """Dictionary-encode a column.

        Returns:
            Codes, int32 of shape [num_rows], and the distinct values.
        """
        chunks = self._table[column].dictionary_encode().unify_dictionaries().chunks
        codes = np.concatenate([chunk.indices.to_numpy() for chunk in chunks])
        return codes, chunks[0].dictionary.to_pylist()

    def ids(self, column: str) -> tuple[NDArray[np.int32], list[str]]:
        """Dictionary-encode a column of ids, none of which may be empty.

        Raises:
            DataError: An id is empty.
        """
        codes, values = self.codes(column)
        if "" in values:
            self.fail(
                _first(codes == values.index("")), f"expected a {column}, got an empty field; fill it in"
            )
        return codes, values

    def integers(self, column: str) -> NDArray[np.int64]:
        """Parse a column of integers, possibly negative; int64, shape [num_rows].

        Raises:
            DataError: A field is not an integer.
        """
        texts = self._table[column]
        is_integer = pc.match_substring_regex(texts, _INTEGER)
        if not pc.all(is_integer).as_py():
            row = pc.index(is_integer, False).as_py()
            self.fail(row, f"expected a whole number as {column}, got {texts[row].as_py()!r}; correct it")
        numbers: NDArray[np.int64] = pc.cast(texts, pa.int64()).to_numpy()
        return numbers

    def numbers(self, column: str) -> NDArray[np.float32]:
        """Parse a column of decimal numbers; float32, shape [num_rows].

        Raises:
            DataError: A field is not a finite number.
        """
        codes, values = self.codes(column)
        numbers = np.array([float(one) if _NUMBER.fullmatch(one) else math.nan for one in values])
        with np.errstate(over="ignore"):
            stars = numbers.astype(np.float32)
        if not np.isfinite(stars).all():
            row = _first(~np.isfinite(stars)[codes])
            self.fail(row, f"expected a number as {column}, got {values[codes[row]]!r}; correct it")
        return stars[codes]

    def fail(self, row: int, reason: str) -> NoReturn:
        """Raise an error about one row.

        Args:
            row: Position of the row from 0, without the header.
            reason: What was expected, what was found, how to fix it.

        Raises:
            DataError: Always, with the row's line number.
        """
        num_headers = 0 if self._format.fields else 1
        for position, (line, _) in enumerate(records(self.file, self._content, self._format)):
            if position == row + num_headers:
                raise DataError.at(self.file, line, reason)
        raise DataError(f"{self.file}: {reason}")

    def _header(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        rows = records(self.file, self._content, self._format)
        line, header = next(rows)
        for column in columns:
            if header.count(column) != 1:
                found = "it twice" if column in header else ", ".join(header)
                reason = (
                    f"expected a header with a column {column}, got {found}; name the columns in line {line}"
                )
                raise DataError.at(self.file, line, reason)
        if next(rows, None) is None:
            raise DataError(
                f"{self.file}: expected rows below the header, got none; fetch or export it again"
            )
        return tuple(header)

    def _read(self, fields: tuple[str, ...], columns: tuple[str, ...]) -> pa.Table:
        content, separator = self._content, self._format.separator
        if len(separator) > 1:
            content, separator = (
                content.replace(separator.encode(), _UNIT_SEPARATOR.encode()),
                _UNIT_SEPARATOR,
            )
        try:
            return pyarrow.csv.read_csv(
                pa.BufferReader(content),
                read_options=pyarrow.csv.ReadOptions(column_names=self._format.fields or None),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=separator,
                    quote_char='"' if self._format.quoted else False,
                    newlines_in_values=self._format.quoted,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), null_values=[]
                ),
            )
        except pa.ArrowInvalid as error:
            self._explain(len(fields), str(error).splitlines()[0])

    def _explain(self, num_fields: int, otherwise: str) -> NoReturn:
        """Raise an error with the line number, which Arrow does not report."""
        for line, record in records(self.file, self._content, self._format):
            if len(record) != num_fields:
                reason = f"expected {num_fields} {self._format.noun} fields, got {len(record)}"
                raise DataError.at(self.file, line, f"{reason}; complete the row or remove it")
        try:
            self._content.decode()
        except UnicodeDecodeError as error:
            line = len((self._content[: error.start] + b"?").splitlines())
            reason = f"expected UTF-8 text, got the byte 0x{self._content[error.start]:02x}; save it as UTF-8"
            raise DataError.at(self.file, line, reason) from None
        raise DataError(f"{self.file}: {otherwise}")

    def _refuse_line_breaks(self, columns: tuple[str, ...]) -> None:
        for column in columns:
            breaks = pc.match_substring_regex(self._table[column], r"[\r\n]")
            if pc.any(breaks).as_py():
                reason = f"expected {column} on one line, got a line break in it; close the quotation marks"
                self.fail(pc.index(breaks, True).as_py(), reason)


def _first(mask: NDArray[np.bool_]) -> int:
    return int(np.flatnonzero(mask)[0])
