from datetime import UTC, datetime

import pyarrow as pa
import pytest

from training.data.columns import Column
from training.data.times import read_times


def read(*texts: str) -> tuple[list[int], list[bool], str]:
    times = read_times(Column("when", pa.chunked_array([list(texts)], pa.string())))
    return times.seconds.tolist(), times.is_bad.tolist(), times.kind


def seconds(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc] # year, month, day, ...


SECONDS = [-5, 0, 100, 1_574_327_703]


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)],
)
def test_the_unit_of_numbers_is_that_of_most(unit: str, factor: int) -> None:
    when = [1_574_327_703, 1_600_000_000, 1_400_000_000]
    assert read(*(str(one * factor) for one in when)) == (when, [False] * 3, f"Unix {unit}")
    assert read(*(f"{one * factor}.0" for one in when))[0] == when


def test_small_and_negative_numbers_are_seconds() -> None:
    assert read("-5", "0", "100", "1574327703") == (SECONDS, [False] * 4, "Unix seconds")
    assert read("-5.5", "0", "+100.9", "1.574327703e9")[0] == [-6, 0, 100, 1_574_327_703]


def test_a_number_in_another_unit_than_most_is_bad() -> None:
    assert read("1700000000", "1700000001", "1700000002000")[1] == [False, False, True]
    assert read("1700000000000", "1700000001000", "1700000002")[1] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2005-04-02 23:53:47", (2005, 4, 2, 23, 53, 47)),
        ("2005-04-02T23:53:47.999999", (2005, 4, 2, 23, 53, 47)),
        ("2005-04-02T23:53", (2005, 4, 2, 23, 53)),
        ("2005-04-02", (2005, 4, 2)),
        ("2005-04", (2005, 4, 1)),
        ("2005-04-02T23:53:47Z", (2005, 4, 2, 23, 53, 47)),
        ("2005-04-02 23:53:47 UTC", (2005, 4, 2, 23, 53, 47)),
        ("2005-04-02T23:53:47.123+02:00", (2005, 4, 2, 21, 53, 47)),
        ("2005-04-02 23:53:47-0700", (2005, 4, 3, 6, 53, 47)),
        ("2005-04-02 23:53:47 +0100", (2005, 4, 2, 22, 53, 47)),
        ("1969-12-31 23:59:59", (1969, 12, 31, 23, 59, 59)),
        ("2005/04/02 23:53", (2005, 4, 2, 23, 53)),
        ("04 2, 2005", (2005, 4, 2)),
        ("Apr 2, 2005", (2005, 4, 2)),
        ("2 April 2005", (2005, 4, 2)),
        ("02.04.2005", (2005, 4, 2)),
        ("4/23/2005 23:53", (2005, 4, 23, 23, 53)),
        ("23/4/2005", (2005, 4, 23)),
        ("4/23/2005 11:53:47 PM", (2005, 4, 23, 23, 53, 47)),
        ("Sat Apr 02 23:53:47 -0700 2005", (2005, 4, 3, 6, 53, 47)),
        ("Sat, 02 Apr 2005 23:53:47 +0000", (2005, 4, 2, 23, 53, 47)),
        ("4/23/05", (2005, 4, 23)),
        ("23.04.05 23:53", (2005, 4, 23, 23, 53)),
        ("23-Apr-05", (2005, 4, 23)),
        ("4/23/2005, 11:53:47 PM", (2005, 4, 23, 23, 53, 47)),
        ("2005-4-2 3:53", (2005, 4, 2, 3, 53)),
        ("2005.04.02", (2005, 4, 2)),
        ("20050402", (2005, 4, 2)),
        ("20050402235347", (2005, 4, 2, 23, 53, 47)),
    ],
)
def test_dates_in_usual_ways_of_writing(text: str, when: tuple[int, ...]) -> None:
    assert read(text, text)[:2] == ([seconds(*when)] * 2, [False, False])


def test_dates_with_and_without_a_zone_may_be_mixed() -> None:
    when, is_bad, kind = read("2005-04-02", "2005-04-02 01:00:00+02:00", "2005-04-01T23:00:00Z")
    assert when == [seconds(2005, 4, 2), seconds(2005, 4, 1, 23), seconds(2005, 4, 1, 23)]
    assert (is_bad, kind) == ([False] * 3, "dates")


def test_day_and_month_are_told_by_all_dates() -> None:
    column = Column("when", pa.chunked_array([["3/9/2025", "13/9/2025"]]))
    times = read_times(column)
    assert times.seconds.tolist() == [seconds(2025, 9, 3), seconds(2025, 9, 13)]
    assert not times.is_ambiguous
    assert read_times(Column("when", pa.chunked_array([["3/9/2025", "3/10/2025"]]))).is_ambiguous


def test_a_year_of_two_digits_may_be_at_either_end() -> None:
    assert read_times(Column("when", pa.chunked_array([["14-03-25", "14-03-26"]]))).is_ambiguous
    assert not read_times(Column("when", pa.chunked_array([["25-03-2014", "26-03-2014"]]))).is_ambiguous


def test_days_of_spreadsheets_are_dates() -> None:
    """Excel's 43831 is 2020-01-01; numbers that begin elsewhere count something else."""
    when = [seconds(2020, 1, 1), seconds(2020, 1, 2, 12)]
    assert read("43831", "43832.5") == (when, [False] * 2, "days as spreadsheets count them")
    assert read("1", "43831", "43832")[0] == [1, 43_831, 43_832]


@pytest.mark.parametrize("wrong", ["30/02/2005", "31.4.2005", "Feb 30, 2005"])
def test_a_day_that_a_month_does_not_have_is_bad(wrong: str) -> None:
    assert read(wrong, "2005-04-03")[1] == [True, False]
    assert read("03/01/2005 10:30:31")[0] == [seconds(2005, 3, 1, 10, 30, 31)]


@pytest.mark.parametrize("wrong", ["", "soon", "2005-02-30 10:00:00", "2005-13-01", "nan"])
def test_what_is_no_time_is_bad(wrong: str) -> None:
    assert read("2005-04-02 23:53:47", wrong, "2005-04-03")[1] == [False, True, False]
    assert read("1700000000", wrong, "1700000001")[1] == [False, True, False]


def test_numbers_beyond_any_calendar_are_bad() -> None:
    assert read("9" * 30)[1] == [True]


def test_typed_columns_are_read_as_they_are() -> None:
    moments = pa.array([1_500_000_000_999, None, -1], pa.timestamp("ms", "Asia/Tokyo"))
    times = read_times(Column("when", pa.chunked_array([moments])))
    assert (times.seconds.tolist(), times.is_bad.tolist()) == ([1_500_000_000, 0, -1], [False, True, False])
    days = read_times(Column("when", pa.chunked_array([pa.array([1, 2], pa.date32())])))
    assert days.seconds.tolist() == [86_400, 172_800]
    numbers = read_times(Column("when", pa.chunked_array([pa.array([1.5e12, None, 1.6e12])])))
    assert (numbers.seconds.tolist(), numbers.kind) == (
        [1_500_000_000, 0, 1_600_000_000],
        "Unix milliseconds",
    )
    assert numbers.is_bad.tolist() == [False, True, False]
