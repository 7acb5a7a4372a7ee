"""What is wrong with a field whatever it means: a line break within, bytes that are no text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.columns import Column, TabularFile
from training.data.encoding import REPLACEMENT
from training.data.problems import Problems

_SEPARATORS = ",;\t|"


def note_open_quotes(file: TabularFile, column: Column, problems: Problems) -> None:
    """Note line breaks where none belong: a quotation mark was not closed."""
    _note_line_breaks(file, column, column.with_line_breaks(), problems)


def note_swallowed_rows(file: TabularFile, column: Column, problems: Problems) -> None:
    """Note text that goes on with what looks like rows; other line breaks may be meant."""
    swallowing = []
    for row in column.with_line_breaks():
        lines = str(column.array[int(row)].as_py()).splitlines()[1:]
        if any(max(line.count(mark) for mark in _SEPARATORS) >= len(file.names) - 1 for line in lines):
            swallowing.append(row)
    _note_line_breaks(file, column, np.array(swallowing, np.int64), problems)


def note_wrong_bytes(file: TabularFile, column: Column, problems: Problems) -> None:
    """Note text with bytes that are not of the file's encoding."""
    codes, values = column.coded
    wrong = [code for code, value in enumerate(values) if REPLACEMENT in value]
    if wrong:
        problems.add(
            *(file, np.flatnonzero(np.isin(codes, wrong)), f"{column.name} in UTF-8"),
            lambda row: repr(values[codes[row]].replace(REPLACEMENT, "\ufffd")),
            "correct it, or say with --encoding what the file is in",
        )


def _note_line_breaks(file: TabularFile, column: Column, rows: NDArray[np.int64], problems: Problems) -> None:
    expected = f"{column.name} on one line"
    problems.add(file, rows, expected, lambda _: "a line break in it", "close the quotation marks")
