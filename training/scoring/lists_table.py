"""Lists of recommendations as Arrow tables, kept in files of parts and written as Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.bundle.disk import replacing, sync
from service.bundle.histories import Histories
from training.scoring.list_scorer import ScoredLists

_TEXT = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        pa.field("user", _TEXT, nullable=False),
        pa.field("rank", pa.int32(), nullable=False),
        pa.field("item", _TEXT, nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("predicted_rating", pa.float32()),
        pa.field("bundle", _TEXT, nullable=False),
    ]
)
"""`rank` is from 1; `predicted_rating` is null where the bundle predicts none."""

_REPEATED = ["user", "rank", "item", "bundle"]
"""What a dictionary makes smaller; floats hardly ever repeat."""

Table = Any
"""A `pyarrow.Table` of `SCHEMA`."""


def table_of(lists: ScoredLists, histories: Histories, catalogue: Catalogue, bundle_id: str) -> Table:
    """Return lists as a table, a row for each movie of each."""
    num_rows = len(lists.rows)
    users = np.repeat(np.arange(len(lists.user_rows), dtype=np.int32), lists.lengths)
    firsts = np.cumsum(lists.lengths) - lists.lengths
    ranks = np.arange(1, num_rows + 1) - np.repeat(firsts, lists.lengths)
    # Only what is listed: a dictionary of all candidates would be in every row group.
    is_listed = np.zeros(len(catalogue), np.bool_)
    is_listed[lists.rows] = True
    listed = np.flatnonzero(is_listed).tolist()
    places = np.cumsum(is_listed, dtype=np.int32)[lists.rows] - np.int32(1)
    columns = [
        _coded(users, [histories.user_id_of(row) for row in lists.user_rows.tolist()]),
        pa.array(ranks.astype(np.int32)),
        _coded(places, [catalogue.movie_ids[row] for row in listed]),
        pa.array(lists.scores),
        pa.array(lists.stars.astype(np.float32), from_pandas=True),
        _coded(np.zeros(num_rows, np.int32), [bundle_id]),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def write_part(path: Path, table: Table) -> None:
    """Write a table to a file that is whole or not there, whatever happens.

    Raises:
        OSError: It cannot be written.
    """
    with replacing(path) as temporary:
        pyarrow.feather.write_feather(table, temporary, compression="uncompressed")
        sync(temporary)


def read_part(path: Path) -> Table:
    """Read what `write_part` wrote."""
    return pyarrow.feather.read_table(path, memory_map=True)


def to_bytes(table: Table) -> bytes:
    """Return a table as bytes, for another process."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_bytes(content: bytes) -> Table:
    """Return what `to_bytes` was given."""
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()


class ParquetWriter:
    """Writes tables to a Parquet file, each as one row group."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[ParquetWriter]:
        """Open a file; the end of the block makes it whole.

        Raises:
            OSError: It cannot be written.
        """
        # zstd makes it a sixth smaller, and takes twice as long.
        options = {"compression": "snappy", "use_dictionary": _REPEATED}
        with pyarrow.parquet.ParquetWriter(path, SCHEMA, write_statistics=["user"], **options) as writer:
            yield cls(writer)

    def add(self, table: Table) -> None:
        """Write a table as one row group, none where it is empty."""
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)


def _coded(codes: NDArray[np.int32], values: list[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(values, pa.string()))
