"""Parquet, Feather and Arrow files as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from training.data.columns import Column, as_text
from training.data.problems import Problems
from training.errors import DataError

_MAGIC = {b"PAR1": "Parquet", b"ARROW1": "Arrow", b"FEA1": "Feather"}
_SAMPLE_ROWS = 1_000


class ParquetFile:
    """A file of typed columns.

    Args:
        label: The file's name for messages.
        content: Its bytes.

    Raises:
        DataError: It is damaged.
    """

    is_named = True

    def __init__(self, label: str, content: bytes) -> None:
        self.label = label
        self.description = next(name for magic, name in _MAGIC.items() if content.startswith(magic))
        self._content = content
        try:
            if self.description == "Parquet":
                file = pyarrow.parquet.ParquetFile(pa.BufferReader(content))
                first = next(file.iter_batches(_SAMPLE_ROWS), None)
                head = file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])
            else:
                head = pyarrow.feather.read_table(pa.BufferReader(content)).slice(0, _SAMPLE_ROWS)
        except pa.ArrowException as error:
            raise self._damaged(error) from None
        top = {name: _flattened(head.select([name])) for name in head.column_names}
        self._top = {name: outer for outer, within in top.items() for name in within.column_names}
        self.names: tuple[str, ...] = tuple(self._top)
        head = _flattened(head)
        self.sample: Mapping[str, Sequence[str]] = {
            name: [as_text(value) for value in _without_nanoseconds(head[name]).to_pylist()]
            for name in head.column_names
        }

    def read(self, names: Sequence[str], problems: Problems) -> dict[str, Column]:  # noqa: ARG002 all rows are whole
        """Read columns, see `TabularFile.read`."""
        source, columns = (
            pa.BufferReader(self._content),
            list(dict.fromkeys(self._top[name] for name in names)),
        )
        try:
            if self.description == "Parquet":
                table = pyarrow.parquet.read_table(source, columns=columns)
            else:
                table = pyarrow.feather.read_table(source, columns=columns)
        except pa.ArrowException as error:
            raise self._damaged(error) from None
        table = _flattened(table)
        if not table.num_rows:
            raise DataError(f"{self.label}: expected rows, got an empty file; fetch or export it again")
        return {name: Column(name, _without_nanoseconds(table[name])) for name in names}

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return the numbers of rows from 1."""
        return [f"row {row + 1}" for row in rows]

    def _damaged(self, error: pa.ArrowException) -> DataError:
        reason = (
            f"expected {self.description}, got a damaged or truncated file ({str(error).splitlines()[0]})"
        )
        return DataError(f"{self.label}: {reason}; fetch or export it again")


def _flattened(table: pa.Table) -> pa.Table:
    """Return structs as columns 'outer.inner', as `JsonText` has them."""
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    return table


def _without_nanoseconds(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Round times to what Python has."""
    kind = array.type
    is_fine = pa.types.is_timestamp(kind) and kind.unit == "ns"
    return array.cast(pa.timestamp("us", kind.tz), safe=False) if is_fine else array


def is_parquet(content: bytes) -> bool:
    """Whether a file is one of these, by its first bytes."""
    return content.startswith(tuple(_MAGIC))
