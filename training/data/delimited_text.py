"""Delimited text as columns, parsed by Arrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

import pyarrow as pa
import pyarrow.csv

from training.data.columns import Column
from training.data.dialect import UNIT_SEPARATOR, Dialect, head, sample_rows, usual_length
from training.data.problems import MOST_LISTED, Problems
from training.data.text_rows import TextRows
from training.errors import DataError


class DelimitedText:
    """A file of delimited text.

    Args:
        label: The file's name for messages.
        content: Its text in UTF-8.
        dialect: How it is written.
        encoding: What it was encoded in.
        names: Names of the columns, where the file has no header and its layout is known.
    """

    def __init__(
        self, label: str, content: bytes, dialect: Dialect, encoding: str, names: tuple[str, ...] = ()
    ) -> None:
        self.label = label
        self._content = content
        self._dialect = dialect
        self._encoding = encoding
        self._rows = TextRows(content, dialect)
        self._num_broken = 0
        rows = sample_rows(head(content, self._rows.start), dialect)
        if dialect.has_header:
            header = next(iter(TextRows(content, dialect.without_header())))[1]
            self.names = _distinct(_fitted(header, rows))
        else:
            self.names = names or tuple(str(1 + column) for column in range(usual_length(rows)))
        self.is_named = dialect.has_header or bool(names)
        columns = zip(*(row for row in rows if len(row) == len(self.names)), strict=True)
        self.sample: Mapping[str, Sequence[str]] = dict(zip(self.names, map(list, columns), strict=False))

    @property
    def description(self) -> str:
        """Format and encoding in words."""
        return f"{self._dialect.noun}, {self._encoding}{'' if self.is_named else ', no header'}"

    def read(self, names: Sequence[str], problems: Problems) -> dict[str, Column]:
        """Read columns, see `TabularFile.read`."""
        if self._content[
            self._rows.start : self._rows.start + (1 << 16)
        ].isspace() or self._rows.start == len(self._content):
            reason = "expected rows below the header, got none; fetch or export it again"
            raise DataError(f"{self.label}: {reason}")
        if (
            self._dialect.quoted
            and not self._dialect.escaped
            and self._content.count(self._dialect.mark.encode()) % 2
        ):
            line = self._rows.line_of_open_quote()
            if line is not None:
                reason = "expected a quotation mark at the end of a field too, got the end of the file"
                raise DataError.at(self.label, line, f"{reason}; close it, or write it twice within a field")
        table = self._parse(names)
        problems.add_broken(self._num_broken, self._broken)
        return {name: Column(name, table[name]) for name in names}

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return the lines of rows that were read."""
        lines = self._rows.lines(rows, len(self.names), any_broken=self._num_broken > 0)
        return [f"line {line}" for line in lines]

    def _broken(self) -> list[str]:
        """Describe the first rows that have another number of fields."""
        broken = (
            f"{self.label} line {line}: expected {len(self.names)} {self._dialect.noun} fields, "
            f"got {len(record)}; complete the row or remove it"
            for line, record in self._rows
            if len(record) != len(self.names)
        )
        return list(islice(broken, MOST_LISTED))

    def _parse(self, names: Sequence[str]) -> pa.Table:
        content, separator = memoryview(self._content)[self._rows.start :], self._dialect.separator
        if len(separator) > 1:
            content = memoryview(bytes(content).replace(separator.encode(), UNIT_SEPARATOR.encode()))
            separator = UNIT_SEPARATOR
        parse_options = pyarrow.csv.ParseOptions(
            delimiter=separator,
            quote_char=self._dialect.mark if self._dialect.quoted else False,
            double_quote=not self._dialect.escaped,
            escape_char="\\" if self._dialect.escaped else False,
            newlines_in_values=self._dialect.quoted,
            invalid_row_handler=self._count_broken,
        )
        convert_options = pyarrow.csv.ConvertOptions(
            include_columns=list(dict.fromkeys(names)),
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[],
        )
        reason = ""
        # The second time in one block: a field may be longer than a block of the usual size.
        for block_size in (1 << 20, len(content) + 1):
            self._num_broken = 0
            try:
                return pyarrow.csv.read_csv(
                    pa.py_buffer(content),
                    read_options=pyarrow.csv.ReadOptions(column_names=self.names, block_size=block_size),
                    parse_options=parse_options,
                    convert_options=convert_options,
                )
            except pa.ArrowInvalid as error:
                reason = str(error).splitlines()[0]
        raise DataError(f"{self.label}: {reason}")

    def _count_broken(self, _row: object) -> str:
        self._num_broken += 1
        return "skip"


def _fitted(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a header that has as many fields as its rows, if it is one off."""
    names = [name.strip() for name in header]
    longer = usual_length(rows) - len(names)
    if longer == 1:  # rows that end in a separator, or begin with the names that R gives to rows
        usual = [row for row in rows if len(row) == len(names) + 1]
        return [*names, ""] if not any(row[-1] for row in usual) else ["", *names]
    return names[:-1] if longer == -1 and not names[-1] else names


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that are there once each, for columns without one or with that of another."""
    counts = Counter(names)
    return tuple(
        name if name and counts[name] == 1 else f"{name or '(no name)'}#{place}"
        for place, name in enumerate(names, start=1)
    )
