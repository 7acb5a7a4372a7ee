"""What was posted to the service, over the ratings of files; in SQLite and in PostgreSQL."""

import numpy as np
import pytest
from synthetic_ratings import Rating, table_of

from service.live import store, stored_movies
from service.live.database import Connection
from service.live.events import Event, EventType
from service.live.opening import database_of
from service.live.posted_movies import NO_YEAR, MoviePut
from training.data.stored_feedback import StoredFeedback
from training.data.table import RatingsTable
from training.errors import DataError, Forgotten, SourceError

FILE: list[Rating] = [("ann", "a", 2, 100), ("ann", "b", 3, 110), ("bob", "a", 1, 120), ("bob", "c", 5, 130)]


def post(writer: Connection, user_id: str, movie_id: str, what: tuple[EventType, int, float | None]) -> None:
    """An event of a type, at a time, with stars or none."""
    type_, at, stars = what
    with writer.transaction():
        event = Event(user_id, movie_id, type_, stars, at)
        store.apply(writer, [event], now=1_000, key=store.key_of(writer))


def forget(writer: Connection, user_id: str) -> int:
    with writer.transaction():
        return store.forget(writer, user_id, now=1_000, key=store.key_of(writer))


def rows_of(table: RatingsTable) -> set[tuple[str, str, float | None, int]]:
    return {
        (table.user_ids[user], table.movies.movie_ids[movie], None if np.isnan(stars) else stars, time)
        for user, movie, stars, time in zip(
            *(
                column.tolist()
                for column in (table.user_rows, table.movie_rows, table.stars, table.timestamps)
            ),
            strict=True,
        )
    }


def test_later_ratings_replace_those_of_the_file_and_older_ones_do_not(
    writer: Connection, store_setting: str
) -> None:
    post(writer, "ann", "a", ("rating", 200, 5))
    post(writer, "ann", "b", ("rating", 109, 1))
    post(writer, "bob", "a", ("rating", 120, 4))
    post(writer, "bob", "b", ("watch", 140, None))
    stored = StoredFeedback.over(table_of(FILE), store_setting)
    assert rows_of(stored.table) == {
        ("ann", "a", 5, 200),
        ("ann", "b", 3, 110),
        ("bob", "a", 4, 120),
        ("bob", "c", 5, 130),
        ("bob", "b", None, 140),
    }
    assert (stored.position, stored.num_pairs, stored.num_forgotten) == (4, 3, 0)


def test_a_watch_renews_the_time_and_leaves_the_stars(writer: Connection, store_setting: str) -> None:
    post(writer, "ann", "a", ("watch", 200, None))
    table = StoredFeedback.over(table_of(FILE), store_setting).table
    assert ("ann", "a", 2, 200) in rows_of(table)
    assert len(table) == 4


def test_overlap_of_file_and_store_changes_nothing(writer: Connection, store_setting: str) -> None:
    for user, movie, stars, time in FILE:
        post(writer, user, movie, ("rating", time, stars))
    file = table_of(FILE, ["a", "b", "c", "d"], genres=[["Drama"], [], [], []])
    assert StoredFeedback.over(file, store_setting).table.sha256 == file.sha256


def test_new_users_and_movies_take_their_places_among_the_others(
    writer: Connection, store_setting: str
) -> None:
    post(writer, "amy", "b", ("rating", 200, 4))
    post(writer, "zoe", "aa", ("rating", 210, 3))
    file = table_of(
        FILE,
        titles=["A (1990)", "B (1991)", "C (1992)"],
        genres=[["Drama"], ["War"], []],
        user_features={"group": {"ann": "x", "bob": "y"}},
    )
    table = StoredFeedback.over(file, store_setting).table
    assert table.user_ids == ("amy", "ann", "bob", "zoe")
    assert table.movies.movie_ids == ("a", "aa", "b", "c")
    assert table.movies.titles == ("A (1990)", "aa", "B (1991)", "C (1992)")
    assert table.movies.genres == (("Drama",), (), ("War",), ())
    assert table.movies.years.tolist() == [1990, 0, 1991, 1992]
    assert table.user_features["group"].vocabulary == ("x", "y")
    assert table.user_features["group"].codes.tolist() == [-1, 0, 1, -1]
    assert rows_of(table) == {*FILE, ("amy", "b", 4, 200), ("zoe", "aa", 3, 210)}
    assert table.movie_counts.tolist() == [2, 1, 2, 1]


def put(writer: Connection, *puts: MoviePut) -> None:
    with writer.transaction():
        stored_movies.put_movies(writer, puts)


def test_movies_are_described_as_apps_put_them(writer: Connection, store_setting: str) -> None:
    for new in ("new", "no title", "title only"):
        post(writer, "zoe", new, ("rating", 200, 4))
    put(
        writer,
        MoviePut("a", "Aleph", year=1889),
        MoviePut("b", genres=("WAR", "War", "Myth")),
        MoviePut("c", year=NO_YEAR),
        MoviePut("new", "New (2001)", ("drama",), 2002),
        MoviePut("title only", "Only (2003)"),
        MoviePut("no title", genres=("War",)),
        MoviePut("nobody watched it", "Alone (2004)", ("War",)),
    )
    file = table_of(FILE, titles=["A (1990)", "B (1991)", "C (1992)"], genres=[["Drama"], ["War"], ["Drama"]])
    stored = StoredFeedback.over(file, store_setting)
    movies = stored.table.movies
    assert list(zip(movies.movie_ids, movies.titles, movies.genres, movies.years.tolist(), strict=True)) == [
        ("a", "Aleph", ("Drama",), 1889),
        ("b", "B (1991)", ("War", "Myth"), 1991),
        ("c", "C (1992)", ("Drama",), 0),
        ("new", "New (2001)", ("Drama",), 2002),
        ("no title", "no title", (), 0),
        ("title only", "Only (2003)", (), 2003),
    ]
    assert stored.num_described == 5


def test_what_was_rated_of_a_withdrawn_movie_stays(writer: Connection, store_setting: str) -> None:
    post(writer, "zoe", "new", ("rating", 200, 4))
    put(writer, MoviePut("a", available=False), MoviePut("new", "New", available=False))
    table = StoredFeedback.over(table_of(FILE), store_setting).table
    assert rows_of(table) == {*FILE, ("zoe", "new", 4, 200)}
    assert dict(zip(table.movies.movie_ids, table.movies.titles, strict=True))["new"] == "New"


def test_what_is_hidden_clicked_or_shown_is_no_watch(writer: Connection, store_setting: str) -> None:
    for type_ in ("hide", "click", "impression"):
        post(writer, "zoe", "new", (type_, 200, None))
    file = table_of(FILE)
    table = StoredFeedback.over(file, store_setting).table
    assert (table.user_ids, table.sha256) == (file.user_ids, file.sha256)


def test_a_removed_entry_is_gone_up_to_its_removal(writer: Connection, store_setting: str) -> None:
    post(writer, "ann", "a", ("removed", 100, None))
    post(writer, "ann", "b", ("removed", 109, None))
    post(writer, "bob", "a", ("removed", 150, None))
    post(writer, "bob", "c", ("removed", 150, None))
    post(writer, "bob", "c", ("rating", 160, 2))
    table = StoredFeedback.over(table_of(FILE), store_setting).table
    assert rows_of(table) == {("ann", "b", 3, 110), ("bob", "c", 2, 160)}


def test_a_file_without_times_keeps_none_and_the_store_comes_last(
    writer: Connection, store_setting: str
) -> None:
    post(writer, "ann", "c", ("rating", 300, 4))
    post(writer, "ann", "a", ("rating", 200, 5))
    untimed = table_of([(user, movie, stars, 7) for user, movie, stars, _ in FILE])
    table = StoredFeedback.over(untimed, store_setting).table
    assert table.time_range is None
    ann = table.user_rows == table.user_ids.index("ann")
    movies = [table.movies.movie_ids[row] for row in table.movie_rows[ann]]
    assert list(zip(movies, table.stars[ann].tolist(), strict=True)) == [("b", 3), ("a", 5), ("c", 4)]


def test_stars_are_taken_within_the_scale_of_the_file(writer: Connection, store_setting: str) -> None:
    post(writer, "zoe", "a", ("rating", 200, 10))
    table = StoredFeedback.over(table_of(FILE), store_setting).table
    assert table.rating_scale == (1.0, 5.0)
    watched = table_of([(user, movie, np.nan, time) for user, movie, _, time in FILE])
    assert StoredFeedback.over(watched, store_setting).table.rating_scale is None


def test_who_was_forgotten_is_left_out_and_is_a_new_user_afterwards(
    writer: Connection, store_setting: str
) -> None:
    post(writer, "ann", "b", ("rating", 190, 5))
    forget(writer, "ann")
    forget(writer, "nobody")
    file = table_of(FILE, user_features={"group": {"ann": "only ann's", "bob": "y"}})
    stored = StoredFeedback.over(file, store_setting)
    assert rows_of(stored.table) == {*FILE[2:]}
    assert stored.table.user_ids == ("bob",)
    assert stored.table.user_features["group"].vocabulary == ("y",)
    assert (stored.position, stored.num_forgotten) == (3, 1)
    post(writer, "ann", "c", ("rating", 50, 1))
    again = StoredFeedback.over(file, store_setting)
    assert rows_of(again.table) == {*FILE[2:], ("ann", "c", 1, 50)}
    again.require_none_forgotten()


def test_nothing_is_left_where_all_were_forgotten(writer: Connection, store_setting: str) -> None:
    forget(writer, "ann")
    forget(writer, "bob")
    with pytest.raises(DataError, match="expected ratings to train on"):
        StoredFeedback.over(table_of(FILE), store_setting)


def test_somebody_forgotten_meanwhile_is_noticed(writer: Connection, store_setting: str) -> None:
    stored = StoredFeedback.over(table_of(FILE), store_setting)
    post(writer, "ann", "b", ("rating", 190, 5))
    forget(writer, "nobody")
    stored.require_none_forgotten()
    forget(writer, "ann")
    with pytest.raises(Forgotten, match="1 of the users trained on were forgotten meanwhile") as error:
        stored.require_none_forgotten()
    assert error.value.exit_code == 5


def test_another_store_in_its_place_is_noticed(writer: Connection, store_setting: str) -> None:
    stored = StoredFeedback.over(table_of(FILE), store_setting)
    with writer.transaction():
        writer.write("UPDATE feedback_keys SET value = ?", (b"k" * 32,))
    with pytest.raises(SourceError, match="got another one"):
        stored.require_none_forgotten()


def test_a_store_that_cannot_be_read_ends_training_with_the_reason(store_setting: str) -> None:
    assert database_of(store_setting) is not None
    with pytest.raises(SourceError, match=r"--store: .*expected a store"):
        StoredFeedback.over(table_of(FILE), store_setting)
