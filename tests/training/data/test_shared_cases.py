"""Small files of other people that were once misread or refused, each with its right value."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from training.data.reader import read_files
from training.data.reading_options import ReadingOptions

WriteFiles = Callable[..., Path]
HEADER = "userId,movieId,rating,timestamp\n"
MOVIES = "movieId,title,genres\n"


def encoded(files: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def test_files_of_kaggle_are_found_by_their_names_and_have_dates(write_files: WriteFiles) -> None:
    files = {
        "movie.csv": f"{MOVIES}2,Film (1995),Drama\n",
        "rating.csv": f"{HEADER}1,2,3.5,2005-04-02 23:53:47\n",
    }
    table = read_files(write_files(encoded(files))).table
    moment = datetime(2005, 4, 2, 23, 53, 47, tzinfo=UTC).timestamp()
    assert (table.stars.tolist(), table.timestamps.tolist()) == ([3.5], [moment])
    assert (table.movies.titles, table.movies.years.tolist()) == (("Film (1995)",), [1995])
    assert table.movies.genres == (("Drama",),)


def test_dates_without_a_zone_are_utc(write_files: WriteFiles) -> None:
    files = {
        "movies.csv": f"{MOVIES}p1,Kettle,Kitchen\n",
        "ratings.csv": f"{HEADER}u1,p1,1,2025-10-01 10:00:00\n",
    }
    table = read_files(write_files(encoded(files))).table
    assert table.timestamps.tolist() == [datetime(2025, 10, 1, 10, tzinfo=UTC).timestamp()]


def test_milliseconds_are_recognised(write_files: WriteFiles) -> None:
    rng = random.Random(0)  # noqa: S311 no secret
    seconds = [rng.randrange(1_700_000_000, 1_710_000_000) for _ in range(320)]
    rows = [f"u{row // 8},{row % 60},{row % 5 + 1},{seconds[row] * 1000}\n" for row in range(320)]
    reading = read_files(write_files(encoded({"ratings.csv": HEADER + "".join(rows)})))
    assert reading.table.timestamps.tolist() == seconds
    assert reading.files[0].kinds["time"] == "Unix milliseconds"


def test_genres_are_separated_by_commas_or_are_a_list_of_python(write_files: WriteFiles) -> None:
    files = {
        "movies.csv": f"{MOVIES}1,First,\"Drama, Comedy, School\"\n2,Second,\"['Drama', 'Comedy']\"\n",
        "ratings.csv": f"{HEADER}a,1,5,100\na,2,3,200\nb,1,4,300\n",
    }
    genres = read_files(write_files(encoded(files))).table.movies.genres
    assert genres == (("Drama", "Comedy", "School"), ("Drama", "Comedy"))


MINUS_ONE = {
    "movies.csv": f"{MOVIES}1,Watched but unrated,Drama\n2,Rated,Drama\n",
    "ratings.csv": f"{HEADER}a,1,-1,100\na,2,8,200\nb,1,-1,300\nb,2,9,400\n",
}


def test_a_number_that_seems_to_mean_no_rating_is_warned_of(write_files: WriteFiles) -> None:
    reading = read_files(write_files(encoded(MINUS_ONE)))
    [warning] = reading.warnings
    assert warning.startswith("50% of the ratings are -1")
    assert warning.endswith("--not-rated -1")
    assert reading.table.stars.tolist() == [-1, 8, -1, 9]


def test_what_is_not_rated_is_a_watch(write_files: WriteFiles) -> None:
    reading = read_files(write_files(encoded(MINUS_ONE)), ReadingOptions(not_rated=(-1,)))
    assert reading.warnings == ()
    assert reading.table.is_rated.tolist() == [False, True, False, True]
    assert reading.table.rating_scale == (8, 9)


@pytest.mark.parametrize("seconds", [[0] * 60, [1_700_000_000] * 60])
def test_constant_times_are_none(write_files: WriteFiles, seconds: list[int]) -> None:
    rows = [f"u{row // 15},{row * 7 % 97},{row % 5 + 1},{seconds[row]}\n" for row in range(60)]
    reading = read_files(write_files(encoded({"ratings.csv": HEADER + "".join(rows)})))
    assert not reading.table.has_times
    assert reading.table.time_range is None
    assert reading.share_tied == 1


def test_times_that_differ_are_kept_however_small(write_files: WriteFiles) -> None:
    rows = [f"u{row // 15},{row * 7 % 97},{row % 5 + 1},{row * 37 % 1000}\n" for row in range(60)]
    reading = read_files(write_files(encoded({"ratings.csv": HEADER + "".join(rows)})))
    assert reading.table.has_times
    assert reading.table.timestamps[:3].tolist() == [0, 37, 74]


def test_a_scale_of_thousands_and_one_user_are_read_as_they_are(write_files: WriteFiles) -> None:
    rows = [f"me,{row},{row * 33.5:g},{1_700_000_000 + row // 3 * 86_400}\n" for row in range(300)]
    movies = [f"{row},Film {row} ({1960 + row % 60}),\n" for row in range(300)]
    files = {"movies.csv": MOVIES + "".join(movies), "ratings.csv": HEADER + "".join(rows)}
    table = read_files(write_files(encoded(files))).table
    assert (table.num_users, table.num_movies, table.rating_scale) == (1, 300, (0, 10_016.5))
    assert table.movies.genres == ((),) * 300
    assert table.movies.years[:2].tolist() == [1960, 1961]
