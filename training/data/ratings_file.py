"""Who rated or watched what, when, and how much it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.data.columns import Column, TabularFile
from training.data.decimal_numbers import read_numbers
from training.data.field_checks import note_open_quotes, note_wrong_bytes
from training.data.ids import cleaned_ids, missing_ids
from training.data.problems import Problems
from training.data.reading_options import EMPTY, ReadingOptions
from training.data.times import read_times
from training.errors import DataError


@dataclass(eq=False)
class Ratings:
    """Rows of the ratings' file, without those that cannot be read.

    Attributes:
        user_codes: Positions in `user_ids`; int32, shape [n].
        user_ids: Distinct ids, in order of first occurrence.
        item_codes: Positions in `item_ids`; int32, shape [n].
        item_ids: Distinct ids.
        stars: Ratings, NaN where there is none; float32, shape [n].
        weights: How much a row counts as a watch; float32, shape [n]; None: every row 1.
        timestamps: Unix seconds; int64, shape [n]; None without a column of times.
        rows: Positions of these rows in the file; int64, shape [n].
        kinds: How the column of each role was read, in words.
        warnings: What is to be known of the values.
    """

    user_codes: NDArray[np.int32]
    user_ids: list[str]
    item_codes: NDArray[np.int32]
    item_ids: list[str]
    stars: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    timestamps: NDArray[np.int64] | None
    rows: NDArray[np.int64]
    kinds: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def has_ratings(self) -> bool:
        """Whether any row has a rating."""
        return not bool(np.isnan(self.stars).all())

    def take(self, kept: NDArray[np.bool_]) -> Ratings:
        """Return the rows of a mask, with the users and items that occur in them."""
        if kept.all():
            return self
        user_codes, user_ids = _in_use(self.user_codes[kept], self.user_ids)
        item_codes, item_ids = _in_use(self.item_codes[kept], self.item_ids)
        return Ratings(
            *(user_codes, user_ids, item_codes, item_ids, self.stars[kept]),
            None if self.weights is None else self.weights[kept],
            None if self.timestamps is None else self.timestamps[kept],
            *(self.rows[kept], self.kinds, self.warnings),
        )


def read_ratings_rows(
    file: TabularFile,
    columns: Mapping[str, Column],
    of_role: Mapping[str, str],
    options: ReadingOptions,
    problems: Problems,
) -> Ratings:
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

    def read(self) -> Ratings:
        user_codes, user_ids = np.zeros(self.num_rows, np.int32), [self.options.user or ""]
        if "user" in self.columns:
            user_codes, user_ids = self._ids(self.columns["user"])
        else:
            self.kinds["user"] = f"every row is of {self.options.user!r}"
        item_codes, item_ids = self._ids(self.columns["item"])
        ratings = Ratings(
            *(user_codes, user_ids, item_codes, item_ids, self._stars(), self._weights(), self._timestamps()),
            np.arange(self.num_rows, dtype=np.int64),
            self.kinds,
            self.warnings,
        )
        if self.is_blank.any():
            ratings = ratings.take(~self.is_blank)
        if "event" in self.columns:
            return _with_events(self.file, ratings, self.columns["event"], self.options)
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
                *(numbers.is_empty, f"a number as {column.name}", lambda _: "''"),
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


def _with_events(file: TabularFile, ratings: Ratings, column: Column, options: ReadingOptions) -> Ratings:
    """Weigh rows by their events, and leave out those of events that do not count."""
    codes, events = column.coded
    codes = codes[ratings.rows]
    counts = np.bincount(codes, minlength=len(events))
    frequent = [int(one) for one in np.argsort(-counts)[:12] if counts[one]]
    found = ", ".join(f"{events[one] or '(empty)'} {counts[one]:,}" for one in frequent)
    ratings.kinds["event"] = found
    if not options.event_weights:
        if len(frequent) > 1:
            example = ",".join(f"{events[one]}={place}" for place, one in enumerate(frequent[:3], 1))
            ratings.warnings.append(
                f"{column.name}: all events count alike ({found}); say what each is worth with "
                f"--event-weights {example}"
            )
        return ratings
    missing = options.event_weights.keys() - set(events)
    if missing:
        reason = f"expected events {', '.join(sorted(missing))}, got {found}"
        raise DataError(f"{file.label}: {reason}; correct --event-weights")
    ratings.weights = np.array([options.event_weights.get(one, 0.0) for one in events], np.float32)[codes]
    left_out = np.count_nonzero(ratings.weights == 0)
    if left_out:
        ratings.warnings.append(f"{column.name}: {left_out:,} rows of events without a weight are left out")
    return ratings.take(ratings.weights > 0)


def _in_use(codes: NDArray[np.int32], ids: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    in_use = np.zeros(len(ids), np.bool_)
    in_use[codes] = True
    new_code = np.cumsum(in_use, dtype=np.int32) - 1
    return new_code[codes], [one for one, is_used in zip(ids, in_use, strict=True) if is_used]
