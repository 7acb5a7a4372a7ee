"""What is done with the movies that apps put, each function with a connection."""

from __future__ import annotations

from collections.abc import Sequence

from service.live import statements
from service.live.database import Connection, ReadingConnection
from service.live.posted_movies import MoviePut, PostedMovie, PutOutcome
from service.live.store import position_of, read_in_parts
from service.live.stored_rows import movie_row, posted_movie


def put_movies(connection: Connection, puts: Sequence[MoviePut]) -> PutOutcome:
    """Note what is given of movies, one after another, within `Connection.transaction`."""
    position = position_of(connection)
    by_id = {put.movie_id: PostedMovie(put.movie_id) for put in puts}
    rows = read_in_parts(connection, statements.movies_of, [movie_id.encode() for movie_id in by_id])
    former = {movie.movie_id: movie for movie, _ in map(posted_movie, rows)}
    by_id |= former
    changed: dict[str, int] = {}
    unchanged = 0
    for put in puts:
        movie = by_id[put.movie_id].changed_by(put)
        if movie == by_id[put.movie_id] and (put.movie_id in former or put.movie_id in changed):
            unchanged += 1
            continue
        position += 1
        by_id[put.movie_id] = movie
        changed[put.movie_id] = position
    if changed:
        connection.write_many(
            statements.PUT_MOVIE, [movie_row(by_id[each], at) for each, at in changed.items()]
        )
        connection.write(statements.SET_POSITION, (position,))
    return PutOutcome(len(puts) - unchanged, unchanged, position)


def movies_after(connection: ReadingConnection, position: int, most: int) -> list[tuple[PostedMovie, int]]:
    """Up to so many movies that were put after a position, each with its own, in their order."""
    return [posted_movie(row) for row in connection.read(statements.NEW_MOVIES, (position, most))]
