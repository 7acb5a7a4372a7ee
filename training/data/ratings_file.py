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
from training.data.ids import cleaned_ids, missing_ids
from training.data.problems import Problems
from training.data.raw_ratings import RawRatings
from training.data.reading_options import EMPTY, ReadingOptions
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
            ratings = ratings.take(~self.is_blank)
        if "event" in self.columns:
            return with_events(self.file, ratings, self.columns["event"], self.options)
        if ratings.weights is not None and (is_nothing := ratings.weights == 0).any():
            name = self.columns["weight"].name
            self.warnings.append(f"{name}: {np.count_nonzero(is_nothing):,} rows of 0 are left out")
            return ratings.take(~is_nothing)
        return ratings

    def _note(self, is_bad: NDArray[np.bool_], expected: str, got: Callable[[int], str], fix: str) -> None:
        self.problems.add(self.file, np.flatnonzero(is_bad & ~self.is_blank), expected, got, fix)

    def _ids(self, column: Column) -> tuple[NDArray[np.int32], list[str]]:
        codes, ids = column.coded
        missing = missing_ids(ids, np.bincount(codes, minlength=len(ids)))
        if missing.any():
            self._note(
                *(missing[codes], f"a {column.name}"),
                *(lambda row: repr(ids[codes[row]]) if ids[codes[row]] else "an empty field", "fill it in"),
            )
        note_open_quotes(self.file, column, self.problems)
        note_wrong_bytes(self.file, column, self.problems)
        return codes, cleaned_ids(ids)

    def _stars(self) -> NDArray[np.float32]:
        if "rating" not in self.columns:
            return np.full(self.num_rows, np.nan, np.float32)
        column, options = self.columns["rating"], self.options
        numbers = read_numbers(column)
        no_rating = np.isin(numbers.values, [one for one in options.not_rated if one != EMPTY])
        if EMPTY in options.not_rated:
            no_rating |= numbers.is_empty
        else:
            self._note(
                *(numbers.is_empty, f"a number as {column.name}", lambda row: repr(column.text(row))),
                "fill it in, or say with --not-rated empty that it is a watch without a rating",
            )
        self._note(
            *(numbers.is_bad, f"a number as {column.name}", lambda row: repr(column.text(row))),
            "correct it",
        )
        values, self.kinds["rating"] = numbers.values, "numbers"
        if options.rating_transform == "log":
            self.kinds["rating"] = "log(1 + number)"
            is_low = values <= -1
            self._note(
                *(is_low & ~no_rating, f"{column.name} of 0 or more", lambda row: repr(column.text(row))),
                "correct it, or leave out --rating-transform log",
            )
            values = np.log1p(np.where(is_low, np.nan, values))
        if no_rating.any():
            self.kinds["rating"] += f", {np.count_nonzero(no_rating):,} watches without one"
        stars = values.astype(np.float32)
        stars[no_rating] = np.nan
        return stars

    def _weights(self) -> NDArray[np.float32] | None:
        if "weight" not in self.columns:
            return None
        column, self.kinds["weight"] = self.columns["weight"], "numbers"
        numbers = read_numbers(column)
        with np.errstate(invalid="ignore"):
            is_bad = numbers.is_bad | numbers.is_empty | (numbers.values < 0)
        self._note(
            *(is_bad, f"a number of 0 or more as {column.name}", lambda row: repr(column.text(row))),
            "correct it, or leave the column out with --columns weight=",
        )
        return numbers.values.astype(np.float32)

    def _timestamps(self) -> NDArray[np.int64] | None:
        if "time" not in self.columns:
            return None
        column = self.columns["time"]
        times = read_times(column)
        self.kinds["time"] = times.kind
        self._note(
            *(times.is_bad, f"a time as {column.name}, such as 1700000000 or 2025-12-31 23:59:59"),
            *(lambda row: repr(column.text(row)), "correct it, or leave the column out with --columns time="),
        )
        if times.is_ambiguous:
            self.warnings.append(
                f"{column.name}: day and month could be exchanged, as in {column.text(0)!r}; write dates as "
                "2025-12-31 to be sure"
            )
        return times.seconds


def _is_empty(column: Column) -> NDArray[np.bool_]:
    codes, values = column.coded
    if "" not in values:
        return np.zeros(len(codes), np.bool_)
    is_empty: NDArray[np.bool_] = codes == values.index("")
    return is_empty
