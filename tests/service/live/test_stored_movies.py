"""Movies that apps put, on both databases."""

import pytest

from service.live import statements, stored_movies
from service.live.database import Connection, Database
from service.live.migration import migrate
from service.live.posted_movies import NO_YEAR, MoviePut, PostedMovie, PutOutcome


def put_movies(writer: Connection, *puts: MoviePut) -> PutOutcome:
    with writer.transaction():
        return stored_movies.put_movies(writer, puts)


def test_what_is_left_out_of_a_movie_stays_and_the_same_again_changes_nothing(writer: Connection) -> None:
    first = MoviePut("a\0b é🎬", "Alpha, “the first”", ("War", "Film-Noir"), 1999)
    assert put_movies(writer, first, MoviePut("b", available=False)) == (2, 0, 2)
    assert put_movies(writer, first, MoviePut("b", available=False)) == (0, 2, 2)
    later = [MoviePut(first.movie_id, available=False), MoviePut("b", "Beta"), MoviePut("b", year=NO_YEAR)]
    assert put_movies(writer, *later) == (3, 0, 5)
    movies = [
        (PostedMovie(first.movie_id, first.title, first.genres, 1999, False), 3),
        (PostedMovie("b", "Beta", None, NO_YEAR, False), 5),
    ]
    assert stored_movies.movies_after(writer, 0, 10) == movies
    assert stored_movies.movies_after(writer, 3, 10) == movies[1:]
    many = [MoviePut(f"m{number}", f"Number {number}") for number in range(1_000)]
    assert put_movies(writer, *many, *many) == (1_000, 1_000, 1_005)


def test_a_store_of_schema_1_keeps_which_movies_are_withheld(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(statements, "SCHEMA_VERSION", 1)
        before.setattr(statements, "MIGRATIONS", statements.MIGRATIONS[:1])
        migrate(any_database)
    writer = any_database.connect()
    with writer.transaction():
        writer.write("INSERT INTO feedback_movies (movie_id, available, position) VALUES (?, 0, 7)", (b"m3",))
        writer.write(statements.SET_POSITION, (7,))
    migrate(any_database)
    assert stored_movies.movies_after(writer, 0, 10) == [(PostedMovie("m3", available=False), 7)]
    writer.close()
