"""Columns of files without a header."""

from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.reader import read_files


@pytest.mark.parametrize(
    "movies", ["1,2001,One\n2,NULL,Two\n3,2003,Three\n", "1,One,2001.0\n2,Two,\n3,Three,2003.0\n"]
)
def test_items_may_have_a_year_before_or_behind_the_title(
    write_files: Callable[..., Path], movies: str
) -> None:
    files = {"ratings.csv": b"user_id,movie_id,rating\na,1,5\na,2,4\n", "movies.csv": movies.encode()}
    table = read_files(write_files(files)).table
    assert table.movies.titles == ("One", "Two", "Three")
    assert table.movies.years.tolist() == [2001, 0, 2003]
