"""Who rated or watched what, when, and how much it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.data.columns import Column, TabularFile
from training.data.decimal_numbers import read_numbers
from training.data.events import with_events
from training.data.field_checks import note_open_quotes, note_wrong_bytes
from training.data.ids import are_rounded, merged_ids, missing_ids
from training.data.problems import Problems
from training.data.raw_ratings import RawRatings
from training.data.reading_options import EMPTY, ReadingOptions
from training.data.time_doubts import doubts
from training.data.times import read_times


def read_ratings_rows(
    file: TabularFile,
    columns: Mapping[str, Column],
    of_role: Mapping[str, str],
    options: ReadingOptions,
    problems: Problems,
) -> RawRatings:
    """Read the ratings' file.

    Args:
        file: The file.
        columns: Its columns by name.
        of_role: Columns of the roles of `RATING_ROLES` that are to be read.
        options: How.
        problems: Where rows that cannot be read are noted; they are still in what is returned.

    Raises:
        DataError: No row has one of the events that count.
    """
    return _RatingsReader(
        file, {role: columns[name] for role, name in of_role.items()}, options, problems
    ).read()


@dataclass
class _RatingsReader:
    file: TabularFile
    columns: Mapping[str, Column]
    options: ReadingOptions
    problems: Problems
    kinds: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.num_rows = len(self.columns["item"])
        # Spreadsheets end in rows of nothing but separators.
        blank = [
            _is_empty(column) for role, column in self.columns.items() if role in {"user", "item", "rating"}
        ]
        self.is_blank: NDArray[np.bool_] = np.logical_and.reduce(blank)

    def read(self) -> RawRatings:
        user_codes, user_ids = np.zeros(self.num_rows, np.int32), [self.options.user or ""]
        if "user" in self.columns:
            user_codes, user_ids = self._ids(self.columns["user"])
        else:
            self.kinds["user"] = f"every row is of {self.options.user!r}"
        item_codes, item_ids = self._ids(self.columns["item"])
        ratings = RawRatings(
            *(user_codes, user_ids, item_codes, item_ids, self._stars(), self._weights(), self._timestamps()),
            np.arange(self.num_rows, dtype=np.int64),
            self.kinds,
            self.warnings,
        )
        if self.is_blank.any():
            self.warnings.append(f"{np.count_nonzero(self.is_blank):,} empty rows are left out")
            ratings = ratings.take(~self.is_blank)
        if "event" in self.columns:
            return with_events(self.file, ratings, self.columns["event"], self.options)
        if ratings.weights is not None and (is_nothing := ratings.weights == 0).any():
            name = self.columns["weight"].name
            self.warnings.append(f"{name}: {np.count_nonzero(is_nothing):,} rows of 0 are left out")
            return ratings.take(~is_nothing)
        return ratings

    def _note(self, rows: NDArray[np.int64], expected: str, got: Callable[[int], str], fix: str) -> None:
        self.problems.add(self.file, rows[~self.is_blank[rows]], expected, got, fix)

    def _ids(self, column: Column) -> tuple[NDArray[np.int32], list[str]]:
        codes, ids = column.ids
        missing = missing_ids(ids, np.bincount(codes, minlength=len(ids)))
        if missing.any():
            self._note(
                *(np.flatnonzero(missing[codes]), f"a {column.name}"),
                *(lambda row: repr(ids[codes[row]]) if ids[codes[row]] else "an empty field", "fill it in"),
            )
        note_open_quotes(self.file, column, self.problems)
        note_wrong_bytes(self.file, column, self.problems)
        if are_rounded(ids):
            self.warnings.append(
                f"{column.name}: a spreadsheet rounded ids, such as {ids[0]!r}, so that several may be one; "
                "export the column as text"
            )
        return merged_ids(codes, ids)

    def _stars(self) -> NDArray[np.float32]:
        if "rating" not in self.columns:
            return np.full(self.num_rows, np.nan, np.float32)
        column, options = self.columns["rating"], self.options
        numbers = read_numbers(column)
        values, expected = numbers.values, f"a number as {column.name}"
        is_unrated = np.isin(values, [one for one in options.not_rated if one != EMPTY])
        if EMPTY in options.not_rated:
            is_unrated |= numbers.is_empty
        else:
            fix = "fill it in, or say with --not-rated empty that it is a watch without a rating"
            self._note(numbers.rows(numbers.is_empty), expected, _text_of(column), fix)
        self._note(numbers.rows(numbers.is_bad), expected, _text_of(column), "correct it")
        self.kinds["rating"] = "numbers"
        if options.rating_transform == "log":
            self.kinds["rating"] = "log(1 + number)"
            is_low = (values <= -1) & ~is_unrated
            fix = "correct it, or leave out --rating-transform log"
            self._note(numbers.rows(is_low), f"{column.name} of 0 or more", _text_of(column), fix)
            values = np.log1p(np.where(values <= -1, np.nan, values))
        if is_unrated.any():
            self.kinds["rating"] += f", {len(numbers.rows(is_unrated)):,} watches without one"
        stars = np.where(is_unrated, np.nan, values).astype(np.float32)
        return numbers.of_rows(stars)

    def _weights(self) -> NDArray[np.float32] | None:
        if "weight" not in self.columns:
            return None
        column, self.kinds["weight"] = self.columns["weight"], "numbers"
        numbers = read_numbers(column)
        is_bad = numbers.is_bad | numbers.is_empty | (numbers.values < 0)
        fix = "correct it, or leave the column out with --columns weight="
        self._note(numbers.rows(is_bad), f"a number of 0 or more as {column.name}", _text_of(column), fix)
        return numbers.of_rows(numbers.values.astype(np.float32))

    def _timestamps(self) -> NDArray[np.int64] | None:
        if "time" not in self.columns:
            return None
        column = self.columns["time"]
        times = read_times(column)
        self.kinds["time"] = times.kind
        expected = f"a time as {column.name}, such as 1700000000 or 2025-12-31 23:59:59"
        fix = "correct it, or leave the column out with --columns time="
        self._note(np.flatnonzero(times.is_bad), expected, _text_of(column), fix)
        if times.is_ambiguous:
            self.warnings.append(
                f"{column.name}: day and month, or a year of two digits, could be exchanged, as in "
                f"{column.text(0)!r}; write dates as 2025-12-31 to be sure"
            )
        self.warnings += doubts(column.name, times)
        return times.seconds


def _text_of(column: Column) -> Callable[[int], str]:
    return lambda row: repr(column.text(row))


def _is_empty(column: Column) -> NDArray[np.bool_]:
    codes, values = column.coded
    if "" not in values:
        return np.zeros(len(codes), np.bool_)
    is_empty: NDArray[np.bool_] = codes == values.index("")
    return is_empty
