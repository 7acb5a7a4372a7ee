"""Who rated or watched what, when, and how much it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.data.columns import Column, TabularFile
from training.data.decimal_numbers import read_numbers
from training.data.encoding import REPLACEMENT
from training.data.problems import Problems
from training.data.reading_options import EMPTY, ReadingOptions
from training.data.times import read_times
from training.errors import DataError

_WHOLE = re.compile(r"\d+\.0", re.ASCII)


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
        of_role: Columns of the roles user, item, rating, time, event and weight, as far as they are to be read.
        options: How.
        problems: Where rows that cannot be read are noted; they are still in what is returned.

    Raises:
        DataError: No row has one of the events that count.
    """
    num_rows = len(columns[of_role["item"]])
    kinds: dict[str, str] = {}
    warnings: list[str] = []
    if "user" in of_role:
        user_codes, user_ids = _ids(file, columns[of_role["user"]], problems)
    else:
        user_codes, user_ids = np.zeros(num_rows, np.int32), [options.user or ""]
        kinds["user"] = f"every row is of {options.user!r}"
    item_codes, item_ids = _ids(file, columns[of_role["item"]], problems)
    stars = np.full(num_rows, np.nan, np.float32)
    weights = None
    if "rating" in of_role:
        stars = _stars(file, columns[of_role["rating"]], options, problems, kinds)
    if "weight" in of_role:
        weights = _weights(file, columns[of_role["weight"]], problems)
        kinds["weight"] = "numbers"
    timestamps = None
    if "time" in of_role:
        timestamps = _timestamps(file, columns[of_role["time"]], problems, kinds, warnings)
    ratings = Ratings(
        *(user_codes, user_ids, item_codes, item_ids, stars, weights, timestamps),
        np.arange(num_rows, dtype=np.int64),
        kinds,
        warnings,
    )
    if "event" in of_role:
        return _with_events(file, ratings, columns[of_role["event"]], options)
    if weights is not None and (weights == 0).any():
        warnings.append(f"{of_role['weight']}: {np.count_nonzero(weights == 0):,} rows of 0 are left out")
        return ratings.take(weights != 0)
    return ratings


def _ids(file: TabularFile, column: Column, problems: Problems) -> tuple[NDArray[np.int32], list[str]]:
    codes, ids = column.coded
    if "" in ids:
        empty = np.flatnonzero(codes == ids.index(""))
        problems.add(file, empty, f"a {column.name}", lambda _: "an empty field", "fill it in")
    broken = column.with_line_breaks()
    problems.add(
        *(file, broken, f"{column.name} on one line", lambda _: "a line break in it"),
        "close the quotation marks",
    )
    not_text = [code for code, one in enumerate(ids) if REPLACEMENT in one]
    problems.add(
        *(file, np.flatnonzero(np.isin(codes, not_text)) if not_text else np.empty(0, np.int64)),
        *(f"{column.name} in UTF-8", lambda row: repr(ids[codes[row]])),
        "correct it, or say with --encoding what the file is in",
    )
    # A column of integers that had a gap, as pandas writes it.
    if ids and all(_WHOLE.fullmatch(one) for one in ids if one):
        ids = [one.removesuffix(".0") for one in ids]
    return codes, ids


def _stars(
    file: TabularFile, column: Column, options: ReadingOptions, problems: Problems, kinds: dict[str, str]
) -> NDArray[np.float32]:
    numbers = read_numbers(column)
    no_rating = np.isin(numbers.values, [one for one in options.not_rated if one != EMPTY])
    is_bad = numbers.is_bad
    if EMPTY in options.not_rated:
        no_rating |= numbers.is_empty
    else:
        problems.add(
            *(file, np.flatnonzero(numbers.is_empty), f"a number as {column.name}", lambda _: "''"),
            "fill it in, or say with --not-rated empty that it is a watch without a rating",
        )
    problems.add(
        *(file, np.flatnonzero(is_bad), f"a number as {column.name}", lambda row: repr(column.text(row))),
        "correct it",
    )
    values = numbers.values
    kinds["rating"] = "numbers"
    if options.rating_transform == "log":
        kinds["rating"] = "log(1 + number)"
        is_low = values <= -1
        problems.add(
            *(file, np.flatnonzero(is_low & ~no_rating), f"{column.name} of 0 or more"),
            *(lambda row: repr(column.text(row)), "correct it, or leave out --rating-transform log"),
        )
        values = np.log1p(np.where(is_low, np.nan, values))
    if no_rating.any():
        kinds["rating"] += f", {np.count_nonzero(no_rating):,} watches without one"
    stars = values.astype(np.float32)
    stars[no_rating] = np.nan
    return stars


def _weights(file: TabularFile, column: Column, problems: Problems) -> NDArray[np.float32]:
    numbers = read_numbers(column)
    with np.errstate(invalid="ignore"):
        is_bad = numbers.is_bad | numbers.is_empty | (numbers.values < 0)
    problems.add(
        *(file, np.flatnonzero(is_bad), f"a number of 0 or more as {column.name}"),
        *(lambda row: repr(column.text(row)), "correct it, or leave the column out with --columns weight="),
    )
    return numbers.values.astype(np.float32)


def _timestamps(
    file: TabularFile, column: Column, problems: Problems, kinds: dict[str, str], warnings: list[str]
) -> NDArray[np.int64]:
    times = read_times(column)
    kinds["time"] = times.kind
    problems.add(
        *(file, np.flatnonzero(times.is_bad), f"a time as {column.name}, as most are: {times.kind}"),
        *(lambda row: repr(column.text(row)), "correct it, or leave the column out with --columns time="),
    )
    if times.is_ambiguous:
        warnings.append(
            f"{column.name}: day and month could be exchanged, as in {column.text(0)!r}; write 2025-12-31 to be sure"
        )
    return times.seconds


def _with_events(file: TabularFile, ratings: Ratings, column: Column, options: ReadingOptions) -> Ratings:
    codes, events = column.coded
    counts = np.bincount(codes, minlength=len(events))
    found = ", ".join(f"{events[one] or '(empty)'} {counts[one]:,}" for one in np.argsort(-counts)[:12])
    ratings.kinds["event"] = found
    if not options.event_weights:
        if len(events) > 1:
            example = ",".join(
                f"{events[one] or 'event'}={place}" for place, one in enumerate(np.argsort(-counts)[:3], 1)
            )
            ratings.warnings.append(
                f"{column.name}: all events count alike ({found}); say what each is worth with --event-weights {example}"
            )
        return ratings
    weight_of = np.array([options.event_weights.get(event, 0.0) for event in events], np.float32)
    missing = options.event_weights.keys() - set(events)
    if missing:
        raise DataError(
            f"{file.label}: expected the events {', '.join(sorted(missing))}, got {found}; correct --event-weights"
        )
    weights = weight_of[codes]
    kept = weights > 0
    if not kept.all():
        ratings.warnings.append(
            f"{column.name}: {np.count_nonzero(~kept):,} rows of events that --event-weights does not name are left out"
        )
    ratings.weights = weights
    return ratings.take(kept)


def _in_use(codes: NDArray[np.int32], ids: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    in_use = np.zeros(len(ids), np.bool_)
    in_use[codes] = True
    new_code = np.cumsum(in_use, dtype=np.int32) - 1
    return new_code[codes], [one for one, is_used in zip(ids, in_use, strict=True) if is_used]
