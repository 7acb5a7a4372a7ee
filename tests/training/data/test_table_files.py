from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_ratings import table_of, two_clusters

from training.data.table import RatingsTable
from training.data.table_files import MOVIES, RATINGS, USERS, open_table, write_table
from training.errors import DataError


@pytest.fixture
def table() -> RatingsTable:
    """Ratings with missing values of each kind."""
    clusters = two_clusters()
    movies = replace(
        clusters.movies, features={"author": (("Ann", "Bo é"), (), *[("影",)] * (clusters.num_movies - 2))}
    )
    stars = clusters.stars.copy()
    stars[::3] = np.nan
    weights = np.linspace(0.5, 2, len(clusters), dtype=np.float32)
    return replace(clusters, movies=movies, stars=stars, weights=weights, num_replaced=7)


def test_a_table_is_the_same_after_it_was_written_and_opened(table: RatingsTable, tmp_path: Path) -> None:
    write_table(table, tmp_path / "new" / "directory")
    opened = open_table(tmp_path / "new" / "directory")
    assert opened.sha256 == table.sha256
    for name in ("user_rows", "movie_rows", "stars", "weights", "timestamps"):
        column, expected = getattr(opened, name), getattr(table, name)
        np.testing.assert_array_equal(column, expected)
        assert column.dtype == expected.dtype
    for name in ("has_times", "user_ids", "name", "source", "num_replaced"):
        assert getattr(opened, name) == getattr(table, name)
    for name in ("movie_ids", "titles", "genres", "features"):
        assert getattr(opened.movies, name) == getattr(table.movies, name)
    np.testing.assert_array_equal(opened.movies.years, table.movies.years)
    assert opened.movies.years.dtype == np.int32


def test_user_features_keep_their_vocabulary_and_what_is_missing(tmp_path: Path) -> None:
    ratings = [("ann", "1", 4.0, 10), ("bo", "2", 3.0, 20), ("cy", "1", 1.0, 30)]
    features = {"age": {"ann": "35", "bo": "7"}, "city": {}}
    write_table(table_of(ratings, user_features=features), tmp_path)
    opened = open_table(tmp_path)
    assert list(opened.user_features) == ["age", "city"]
    assert opened.user_features["age"].vocabulary == ("7", "35")
    assert opened.user_features["age"].codes.tolist() == [1, 0, -1]
    assert opened.user_features["city"].vocabulary == ()
    assert opened.user_features["city"].codes.tolist() == [-1, -1, -1]
    assert opened.user_features["city"].codes.dtype == np.int32


def test_columns_are_views_of_the_file_and_cannot_be_written(table: RatingsTable, tmp_path: Path) -> None:
    write_table(table, tmp_path)
    opened = open_table(tmp_path)
    for column in (opened.user_rows, opened.stars, opened.timestamps):
        assert not column.flags.owndata
        assert not column.flags.writeable
    overhead = (tmp_path / RATINGS).stat().st_size - 24 * len(table)
    assert 0 < overhead < 3_000


def test_a_table_without_rows_can_be_written(table: RatingsTable, tmp_path: Path) -> None:
    write_table(table.take(np.empty(0, np.int64)), tmp_path)
    opened = open_table(tmp_path)
    assert len(opened) == 0
    assert opened.num_users == table.num_users


def test_a_table_is_replaced_by_the_next(table: RatingsTable, tmp_path: Path) -> None:
    write_table(table, tmp_path)
    before = open_table(tmp_path)
    stars, years = before.stars.copy(), before.movies.years.copy()
    write_table(table_of([("ann", "1", 4.0, 10)]), tmp_path)
    assert len(open_table(tmp_path)) == 1
    np.testing.assert_array_equal(before.stars, stars)  # what is open stays as it was
    np.testing.assert_array_equal(before.movies.years, years)


@pytest.mark.parametrize("missing", [RATINGS, USERS, MOVIES])
def test_a_directory_in_which_a_file_is_missing_is_refused(
    table: RatingsTable, tmp_path: Path, missing: str
) -> None:
    write_table(table, tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(DataError, match=r"expected a ratings table .* write it again"):
        open_table(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not Arrow at all", b"half"])
def test_a_damaged_file_is_refused(table: RatingsTable, tmp_path: Path, content: bytes) -> None:
    write_table(table, tmp_path)
    whole = (tmp_path / RATINGS).read_bytes()
    (tmp_path / RATINGS).unlink()  # a new file: what is mapped must not be cut
    (tmp_path / RATINGS).write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
    with pytest.raises(DataError, match="expected a ratings table"):
        open_table(tmp_path)


def test_files_of_different_tables_are_refused(table: RatingsTable, tmp_path: Path) -> None:
    write_table(table, tmp_path / "one")
    write_table(table_of([("ann", "1", 4.0, 10)]), tmp_path / "other")
    (tmp_path / "one" / USERS).unlink()
    (tmp_path / "one" / USERS).write_bytes((tmp_path / "other" / USERS).read_bytes())
    with pytest.raises(DataError, match="expected 120 users and 85 movies, got 1 and 85"):
        open_table(tmp_path / "one")
