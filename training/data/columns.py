"""Columns of a file as they are in it, text or typed; what they mean is for their readers to say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.problems import Lines, Problems


@dataclass(eq=False)
class Column:
    """A column of a file.

    Attributes:
        name: Its name there.
        array: Its values, an Arrow array in chunks; shape [num_rows]. Encoded once `coded` was used, which
            frees the text of the rows.
    """

    name: str
    array: Any

    def __len__(self) -> int:
        return len(self.array)

    @cached_property
    def coded(self) -> tuple[NDArray[np.int32], list[str]]:
        """Distinct values as text, without spaces around, '' where there is none.

        Codes ascend in order of first occurrence, but where spaces made values differ.

        Returns:
            Codes, int32 of shape [num_rows], and the distinct texts.
        """
        codes, values = self._encoded
        return _distinct(codes, [value.strip() for value in values])

    @cached_property
    def ids(self) -> tuple[NDArray[np.int32], list[str]]:
        """The same of ids, which may begin and end with spaces, unless all do as after a comma."""
        codes, values = self._encoded
        texts = [value for value in values if value.strip()]
        if all(text[0] == " " for text in texts) or all(text[-1] == " " for text in texts):
            return self.coded
        return _distinct(codes, [value if value.strip() else "" for value in values])

    @cached_property
    def _encoded(self) -> tuple[NDArray[np.int32], list[str]]:
        if pa.types.is_nested(self.array.type):
            self.array = pa.chunked_array([[as_text(one) for one in self.array.to_pylist()]], pa.string())
        if pa.types.is_dictionary(self.array.type):
            self.array = self.array.unify_dictionaries()
        else:  # its chunks have one dictionary
            self.array = self.array.dictionary_encode(null_encoding="encode")
        if not self.array.num_chunks:
            return np.empty(0, np.int32), []
        indices = [chunk.indices for chunk in self.array.chunks]
        codes = np.concatenate([one.fill_null(-1).to_numpy() for one in indices]).astype(np.int32, copy=False)
        values = [
            value if isinstance(value, str) else as_text(value)
            for value in self.array.chunk(0).dictionary.to_pylist()
        ]
        if any(one.null_count for one in indices):
            codes = np.where(codes < 0, len(values), codes).astype(np.int32)
            values.append("")
        return codes, values

    def text(self, row: int) -> str:
        """Return one value as text."""
        return as_text(self.array[row].as_py())

    def texts(self) -> list[str]:
        """Return all values as text, for files of moderate size."""
        return [as_text(value) for value in self.array.to_pylist()]

    def values(self) -> list[Any]:
        """Return all values as Python's, such as lists, for files of moderate size."""
        values: list[Any] = self.array.to_pylist()
        return values

    @property
    def is_text(self) -> bool:
        """Whether the values are text, rather than typed by the file's format."""
        kind = self.array.type
        return bool(
            pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind)
        )

    def with_line_breaks(self) -> NDArray[np.int64]:
        """Return the rows whose text has a line break, ascending."""
        rows = np.empty(0, np.int64)
        if not self.is_text:
            return rows
        if pa.types.is_dictionary(self.array.type):
            codes, values = self.coded
            broken = [code for code, value in enumerate(values) if "\n" in value or "\r" in value]
            return np.flatnonzero(np.isin(codes, broken)) if broken else rows
        return np.flatnonzero(pc.match_substring_regex(self.array, r"[\r\n]").fill_null(False).to_numpy())


class TabularFile(Lines, Protocol):
    """A file of rows and named columns in any format."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, '1', '2' and so on where nothing names them."""

    @property
    def is_named(self) -> bool:
        """Whether the file names its columns."""

    @property
    def description(self) -> str:
        """Format and encoding in words, such as 'comma-separated, UTF-8'."""

    @property
    def sample(self) -> Mapping[str, Sequence[str]]:
        """The first values of each column as text."""

    def read(self, names: Sequence[str], problems: Problems) -> dict[str, Column]:
        """Read columns; note rows that cannot be read and leave them out.

        Args:
            names: Some of `names`.
            problems: Where they are noted.

        Raises:
            DataError: The file is empty, or cannot be read at all.
        """


def as_text(value: object) -> str:
    """Return a value of any format as the text that a delimited file would have, without spaces around."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else repr(value)  # noqa: PLR0124 NaN
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _distinct(codes: NDArray[np.int32], values: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    code_of: dict[str, int] = {}
    merged = [code_of.setdefault(value, len(code_of)) for value in values]
    if len(code_of) == len(values):
        return codes, values
    return np.array(merged, np.int32)[codes], list(code_of)
