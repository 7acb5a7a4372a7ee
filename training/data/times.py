"""Times in any usual way of writing them, as Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from training.data.columns import Column

# At most 18 digits, which fit 64 bits.
_INTEGER = r"^[+-]?[0-9]{1,18}$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DAY, _CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?"
_ISO = f"^{_DAY}({_CLOCK})?$"
_ISO_WITH_ZONE = f"^{_DAY}{_CLOCK}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"
_FORMATS = (
    *("%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"),
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S"),
    *("%Y.%m.%d", "%Y.%m.%d %H:%M", "%Y.%m.%d %H:%M:%S"),
    *("%m %d, %Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y"),
    *("%b %d, %Y %H:%M:%S", "%b %d, %Y %I:%M %p", "%d %b %Y %H:%M:%S", "%d %b %Y, %H:%M", "%d %b %Y %H:%M"),
    *("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %Y"),
)
_DAYS = {"/": ("%m/%d/%Y", "%d/%m/%Y"), "-": ("%d-%m-%Y", "%m-%d-%Y"), ".": ("%d.%m.%Y", "%m.%d.%Y")}
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FIRST_YEAR = "1000-01-01"  # of two digits is another format's
_LAST_DAYS = "(^|[^0-9:])(29|30|31)([^0-9:]|$)"
_YEAR_FIRST = "^[0-9]{2}-[0-9]{1,2}-[0-9]{2}($|[^0-9])"
# What spreadsheets write for 2000 to 2050, and when they begin to count.
_SHEET_DAYS, _SHEET_START = (36_526, 54_789), 25_569
# Numbers between which times are in a unit: from 1973 on, and until 5138, after which they are in the next.
_UNITS = (
    (0.0, 1e11, 1, "seconds"),
    (1e11, 1e14, 10**3, "milliseconds"),
    (1e14, 1e17, 10**6, "microseconds"),
    (1e17, np.inf, 10**9, "nanoseconds"),
)
_LAST_SECOND = 253_402_300_799  # of the year 9999


@dataclass(frozen=True, eq=False)
class Times:
    """Times of the rows.

    Attributes:
        seconds: Unix seconds, rounded down, 0 where unreadable; int64, shape [num_rows].
        is_bad: Which rows have no time that can be read; bool, shape [num_rows].
        kind: How they are written, in words.
        is_ambiguous: Whether day and month, or day and year, could be exchanged.
    """

    seconds: NDArray[np.int64]
    is_bad: NDArray[np.bool_]
    kind: str
    is_ambiguous: bool = False


def read_times(column: Column) -> Times:
    """Read a column of times; those without a zone are UTC."""
    array = column.array
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        moments = pc.floor_temporal(array.cast(pa.timestamp("us")), unit="second")
        return _of_moments(moments.cast(pa.timestamp("s")), "dates")
    if not column.is_text:
        return _of_numbers(_as_floats(array))
    texts = pc.utf8_trim_whitespace(array.cast(pa.string()))
    if pc.all(pc.match_substring_regex(texts, _INTEGER)).as_py():
        return _of_numbers(pc.cast(texts, pa.int64()).to_numpy())
    is_number = pc.match_substring_regex(texts, _NUMBER).fill_null(False)
    if 2 * pc.sum(is_number).as_py() >= len(texts):
        return _of_numbers(_as_floats(pc.if_else(is_number, texts, None).cast(pa.float64())))
    return _of_dates(texts)


def _as_floats(array: Any) -> NDArray[Any]:
    """Convert to numpy: integers stay if none is missing, which is NaN then."""
    numbers: NDArray[Any] = array.to_numpy()
    return numbers if numbers.dtype.kind in "iu" else numbers.astype(np.float64)


def _of_numbers(numbers: NDArray[Any]) -> Times:
    is_bad = ~np.isfinite(numbers)
    known = numbers[~is_bad & (numbers != 0)]
    if len(known) and (days := _as_written_dates(numbers, is_bad)) is not None:
        return days
    if len(known) == np.count_nonzero(~is_bad) > 0 and _are_sheet_days(known):
        seconds = np.rint((np.where(is_bad, _SHEET_START, numbers) - _SHEET_START) * 86_400).astype(np.int64)
        return Times(seconds, is_bad, "days as spreadsheets count them")
    usual = float(np.median(np.abs(known))) if len(known) else 0.0
    low, high, per_second, unit = next(one for one in _UNITS if usual < one[1])
    if numbers.dtype.kind in "iu":
        seconds = numbers.astype(np.int64) // per_second
    else:
        seconds = np.floor(np.where(is_bad, 0, numbers) / per_second).clip(-1e18, 1e18).astype(np.int64)
    # Of another unit than most.
    is_bad = is_bad | (np.abs(numbers) >= high) | ((np.abs(numbers) < low) & (numbers != 0))
    is_bad |= np.abs(seconds) > _LAST_SECOND
    seconds[is_bad] = 0
    return Times(seconds, is_bad, f"Unix {unit}")


def _are_sheet_days(numbers: NDArray[Any]) -> bool:
    first, last = _SHEET_DAYS
    return bool(numbers.min() >= first and numbers.max() < last)


def _as_written_dates(numbers: NDArray[Any], is_bad: NDArray[np.bool_]) -> Times | None:
    """Read 20251001 and 20251001235959, if all are such dates."""
    low, high = numbers[~is_bad].min(), numbers[~is_bad].max()
    is_long = low > 10**13
    if not (19000101 <= low <= high < 21010000 or 19000101 * 10**6 <= low <= high < 21010000 * 10**6):
        return None
    whole = np.where(is_bad, 20000101 * 10**6 if is_long else 20000101, numbers).astype(np.int64)
    dates, clocks = (whole // 10**6, whole % 10**6) if is_long else (whole, np.zeros_like(whole))
    years, months, days = dates // 10_000, dates // 100 % 100, dates % 100
    hours, minutes, of_minute = clocks // 10_000, clocks // 100 % 100, clocks % 100
    in_range = (years >= 1900) & (years <= 2100) & (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)
    if not (in_range & (hours < 24) & (minutes < 60) & (of_minute < 60))[~is_bad].all():
        return None
    months_since = (years - 1970) * 12 + months - 1
    starts = months_since.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
    seconds = starts + ((days - 1) * 24 + hours) * 3600 + minutes * 60 + of_minute
    seconds[is_bad] = 0
    return Times(seconds, is_bad, "dates such as 20251231")


def _of_dates(texts: Any) -> Times:
    plain = pc.replace_substring_regex(texts, r"(:[0-9]{2})[.,][0-9]+", r"\1")  # fractions of a second
    plain = pc.replace_substring_regex(plain, r" ?(UTC|GMT)$", "Z")
    plain = pc.replace_substring_regex(plain, r"([0-9]), ([0-9]{1,2}:)", r"\1 \2")  # of JavaScript
    plain = pc.replace_substring_regex(plain, r"(:[0-9]{2}) ([+-][0-9]{2}:?[0-9]{2})$", r"\1\2")
    is_iso, is_zoned = (
        pc.match_substring_regex(plain, one).fill_null(False) for one in (_ISO, _ISO_WITH_ZONE)
    )
    try:
        local = pc.if_else(is_iso, plain, None).cast(pa.timestamp("s"))
        zoned = pc.if_else(is_zoned, plain, None).cast(pa.timestamp("s", "UTC")).cast(pa.timestamp("s"))
        moments = pc.coalesce(local, zoned)
    except pa.ArrowInvalid:  # the 30th of February
        moments = pc.if_else(pc.or_(is_iso, is_zoned), plain, None)
        moments = pa.chunked_array([pa.array(map(_moment, moments.to_pylist()), pa.timestamp("s"))])
    is_ambiguous = False
    for one in _FORMATS if moments.null_count else ():
        moments = _filled(moments, plain, one)
    if moments.null_count:
        moments, is_ambiguous = _day_and_month(moments, plain)
    times = _of_moments(moments, "dates")
    return Times(times.seconds, times.is_bad, times.kind, is_ambiguous)


def _moment(text: str | None) -> datetime | None:
    """Parse one date; slower, but it does not refuse all for one."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment and moment.tzinfo else moment


def _filled(moments: Any, texts: Any, one: str) -> Any:
    """Read with a format what is not read yet, if some of the first such rows fit."""
    unread = pc.indices_nonzero(pc.is_null(moments))
    if not len(unread):
        return moments
    first = texts.take(unread[:100])
    if _parsed(first, one).null_count == len(first):
        return moments
    return pc.coalesce(moments, _parsed(texts, one))


def _day_and_month(moments: Any, texts: Any) -> tuple[Any, bool]:
    """Read dates such as 3/9/2025 or 3/9/25: as what fits more rows, else as is usual there.

    Of years of two digits those from 69 on are of the last century, as in POSIX.
    """
    is_ambiguous = False
    for separator, (usual, other) in _DAYS.items():
        read = []
        for order in (usual, other):
            of_order = moments
            for one in (order, order.replace("%Y", "%y")):
                for clock in _CLOCKS:
                    of_order = _filled(of_order, texts, one + clock)
            read.append(of_order)
        if read[0].null_count == moments.null_count == read[1].null_count:
            continue
        is_ambiguous |= read[0].null_count == read[1].null_count
        moments = min(read, key=lambda of_order: of_order.null_count)
        if separator == "-":  # 25-03-14 may also begin with the year
            is_ambiguous |= bool(pc.any(pc.match_substring_regex(texts, _YEAR_FIRST)).as_py())
    return moments, is_ambiguous


def _parsed(texts: Any, one: str) -> Any:
    parsed = pc.strptime(texts, format=one, unit="s", error_is_null=True).cast(pa.timestamp("s"))
    first = pa.scalar(datetime.fromisoformat(_FIRST_YEAR), pa.timestamp("s"))
    is_right = pc.greater_equal(parsed, first).fill_null(False)
    if "%y" not in one:
        # The 30th of February is read as the 2nd of March.
        is_early = pc.less_equal(pc.day(parsed), 3).fill_null(False)
        early = pc.if_else(is_early, texts, None)
        is_over = pc.match_substring_regex(early, _LAST_DAYS).fill_null(False)
        is_right = pc.and_(is_right, pc.invert(is_over))
    return pc.if_else(is_right, parsed, None)


def _of_moments(moments: Any, kind: str) -> Times:
    is_bad = pc.is_null(moments).to_numpy()
    seconds = moments.cast(pa.int64()).fill_null(0).to_numpy().copy()
    return Times(seconds, is_bad, kind)
