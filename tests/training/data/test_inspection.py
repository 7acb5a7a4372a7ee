from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.inspection import Inspection, inspect_reading, training_command
from training.data.reader import read_files
from training.data.reading_options import ReadingOptions

RATINGS = """userId,movieId,rating,timestamp
a,1,5,100
a,2,3,200
a,2,4,300
b,1,4,86500
c,9,2,86500
c,1,2.5,86500
c,x,bad,1
"""
MOVIES = """movieId,title,genres,maker
1,One (1990),Drama|War,A
2,Two,Drama,B
3,Three (1993),,A
"""


@pytest.fixture
def inspected(write_files: Callable[..., Path]) -> Inspection:
    path = write_files({"ratings.csv": RATINGS.encode(), "movies.csv": MOVIES.encode()})
    return inspect_reading(read_files(path, ReadingOptions(skip_bad_rows=True, item_features=("maker",))))


def test_rows_users_and_items_are_counted(inspected: Inspection) -> None:
    assert (inspected.rows, inspected.skipped, inspected.ratings, inspected.replaced) == (6, 1, 5, 1)
    assert (inspected.users, inspected.users_with_one) == (3, 1)
    assert (inspected.items, inspected.cold_items, inspected.unknown_items) == (4, 1, 1)
    assert inspected.density == pytest.approx(5 / 12)
    assert inspected.per_user == {"least": 1, "median": 2, "mean": pytest.approx(5 / 3, rel=1e-5), "most": 2}
    assert inspected.per_item == {"least": 1, "median": 1, "mean": pytest.approx(5 / 3, rel=1e-5), "most": 3}


def test_ratings_and_times_are_described(inspected: Inspection) -> None:
    assert list(inspected.scale or ()) == [2, 5]
    assert inspected.histogram == {"2": 0.2, "2.5": 0.2, "4": 0.4, "5": 0.2}
    times = [inspected.first, inspected.last, inspected.has_times, inspected.tied]
    assert times == [
        "1970-01-01T00:01:40Z",
        "1970-01-02T00:01:40Z",
        True,
        0.5,
    ]  # c's two of a's and c's pairs
    assert inspected.weights == {"least": 1, "median": 1, "mean": 1, "most": 1}


def test_items_are_described(inspected: Inspection) -> None:
    assert (inspected.titled, inspected.dated, inspected.genres) == (0.75, 0.5, 2)
    assert inspected.features == {"maker": 2}


def test_what_a_model_cannot_learn_is_warned_of(write_files: Callable[..., Path]) -> None:
    path = write_files({"r.csv": b"user,item,time\na,1,7\na,2,7\nb,1,7\nc,1,7\nd,2,7\n"})
    inspection = inspect_reading(read_files(path))
    assert inspection.tied == 1
    assert inspection.scale is None
    said = " | ".join(inspection.warnings)
    assert "no times tell what a user rated first" in said
    assert "(100% of a user's pairs of ratings tie" in said
    assert "no row has a rating" in said
    assert "most users have one rating" in said


def test_rows_that_do_not_count_and_sated_users_are_warned_of(write_files: Callable[..., Path]) -> None:
    """A file whose columns are rating, user and item, without a header to say so."""
    rows = "".join(f"{1 + (user + item) % 5},u{user},{item}\n" for user in range(4) for item in range(9))
    inspection = inspect_reading(read_files(write_files({"r.csv": rows.encode()})))
    said = " | ".join(inspection.warnings)
    assert "16 of 36 rows are of a user and an item that are there later" in said
    assert "5 of 5 users have rated every item" in said


def test_times_under_another_name_are_pointed_out(write_files: Callable[..., Path]) -> None:
    head = "user,item,rating,phone,released,last seen on\n"
    rows = "a,1,5,491701234567,2001-02-03,2020-05-06\na,2,4,491701234568,2001-02-03,2020-05-07\n"
    warnings = read_files(write_files({"r.csv": (head + rows).encode()})).warnings
    said = "last seen on looks like times: if it is when a user did it, say so with --columns "
    assert [one for one in warnings if "looks like times" in one] == [f"{said}'time=last seen on'"]


def test_the_fix_for_times_keeps_the_columns_that_were_named(write_files: Callable[..., Path]) -> None:
    path = write_files({"r.csv": b"my user,item,rating,seen\na,1,5,2020-05-06\na,2,4,2020-05-07\n"})
    warnings = read_files(path, ReadingOptions(columns={"user": "my user"})).warnings
    assert [one for one in warnings if one.endswith(" --columns 'user=my user,time=seen'")]


def test_many_different_ratings_are_shown_in_ranges(write_files: Callable[..., Path]) -> None:
    rows = "".join(f"u{row},i,{row}\n" for row in range(101))
    histogram = inspect_reading(
        read_files(write_files({"r.csv": f"user,item,rating\n{rows}".encode()}))
    ).histogram
    assert list(histogram)[:2] == ["0 to 10", "10 to 20"]
    assert sum(histogram.values()) == pytest.approx(1)


def test_the_command_to_train_has_the_options() -> None:
    options = ReadingOptions(not_rated=(0,), columns={"user": "my user"})
    assert training_command("my data", options) == (
        "matinee fit --data 'my data' --columns 'user=my user' --not-rated 0"
    )
