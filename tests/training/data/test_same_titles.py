"""Films of one title and different years, in files that name films by title alone."""

from collections.abc import Callable
from pathlib import Path

from training.data.reader import read_files
from training.data.reading import Reading
from training.data.reading_options import ReadingOptions

WriteFiles = Callable[..., Path]
OTHERS = "".join(f"Film {film},{1980 + film}.0,3\n" for film in range(20))


def read(write_files: WriteFiles, rows: str) -> Reading:
    path = write_files({"diary.csv": f"Name,Year,Rating\n{rows}".encode()})
    return read_files(path, ReadingOptions(user="me"))


def test_a_remake_is_another_film(write_files: WriteFiles) -> None:
    reading = read(write_files, f"Dune,1984,2\n{OTHERS}Dune,2021,5\nDune,,1\n")
    movies = reading.table.movies
    stars = {
        movies.movie_ids[row]: float(one)
        for row, one in zip(reading.table.movie_rows, reading.table.stars, strict=True)
    }
    assert {one: stars[one] for one in stars if "Dune" in one} == {
        "Dune (1984)": 2,
        "Dune (2021)": 5,
        "Dune": 1,
    }
    assert movies.years[movies.movie_ids.index("Dune (2021)")] == 2021
    assert stars["Film 7"] == 3
    assert movies.years[movies.movie_ids.index("Film 7")] == 1987
    assert any("1 titles have several years in Year" in one for one in reading.warnings)


def test_a_film_seen_again_is_one_film(write_files: WriteFiles) -> None:
    reading = read(write_files, f"Dune,1984,2\n{OTHERS}Dune,1984,5\n")
    assert "Dune" in reading.table.movies.movie_ids
    assert reading.table.num_replaced == 1


def test_years_of_the_rows_tell_nothing_apart(write_files: WriteFiles) -> None:
    """Here the year is that of the watch."""
    rows = "".join(f"Film {film},{year},3\n" for film in range(10) for year in (2020, 2021))
    assert len(read(write_files, rows).table.movies) == 10
