"""Numbers as people and programs write them: 4.5, 4,5, 1,234, True, ★★★½."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from training.data.columns import Column
from training.data.ids import stands_for_none
from training.data.rating_notations import are_words, read_notations

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_QUOTED = re.compile(r"(['\"])(.*)\1", re.DOTALL)


@dataclass(frozen=True, eq=False)
class DecimalNumbers:
    """Numbers of the rows, by entry: the distinct texts of a column, or its rows if it is typed.

    Attributes:
        values: NaN where there is none; float64, shape [num_entries].
        is_empty: Which entries are nothing, or a word for it; bool, shape [num_entries].
        is_bad: Which entries are something that is no finite number; bool, shape [num_entries].
        codes: The entry of each row, shape [num_rows]; None: its own.
    """

    values: NDArray[np.float64]
    is_empty: NDArray[np.bool_]
    is_bad: NDArray[np.bool_]
    codes: NDArray[np.int32] | None

    def of_rows(self, entries: NDArray[Any]) -> NDArray[Any]:
        """Return the rows' values of an array of entries; shape [num_rows]."""
        return entries if self.codes is None else entries[self.codes]

    def rows(self, entries: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the rows of some entries, ascending."""
        return np.flatnonzero(self.of_rows(entries)) if entries.any() else np.empty(0, np.int64)


def read_numbers(column: Column) -> DecimalNumbers:
    """Read a column of numbers, text or typed."""
    if not column.is_text and _is_number(column.array.type):
        values: NDArray[np.float64] = column.array.cast(pa.float64()).to_numpy().astype(np.float64)
        return DecimalNumbers(values, np.isnan(values), np.isinf(values), None)
    codes, texts = column.coded
    values = np.array(_numbers(texts), np.float64)
    is_empty = np.array([stands_for_none(text) for text in texts], np.bool_)
    with np.errstate(over="ignore"):
        is_finite = np.isfinite(values.astype(np.float32))
    return DecimalNumbers(values, is_empty, ~is_finite & ~is_empty, codes)


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def _numbers(texts: list[str]) -> list[float]:
    texts = [found[2].strip() if (found := _QUOTED.fullmatch(text)) else text for text in texts]
    with_comma = [text for text in texts if "," in text]
    if with_comma and all(_THOUSANDS.fullmatch(text) for text in with_comma):
        texts = [text.replace(",", "") for text in texts]
    elif with_comma and all(_DECIMAL_COMMA.fullmatch(text) for text in with_comma):
        texts = [text.replace(",", ".") for text in texts]
    plain = [float(text) if _NUMBER.fullmatch(text) else math.nan for text in texts]
    others = [row for row, value in enumerate(plain) if math.isnan(value) and not stands_for_none(texts[row])]
    if not others:
        return plain
    written = [texts[row] for row in others]
    # Among numbers a word is no rating but a mistake.
    if len(others) < sum(not stands_for_none(text) for text in texts) and are_words(written):
        return plain
    for row, value in zip(others, read_notations(written), strict=True):
        plain[row] = value
    return plain
