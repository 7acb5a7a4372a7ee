"""Rows of the store's tables and the values that they hold."""

from __future__ import annotations

import json

from service.live.database import Row
from service.live.events import Event, State, StoredEvent
from service.live.posted_movies import PostedMovie


def state_of(row: Row) -> State:
    """The latest event of a user, movie and type."""
    user_id, movie_id, type_, value, timestamp, position = row
    return State(bytes(user_id).decode(), bytes(movie_id).decode(), type_, value, timestamp, position)


def stored_event(row: Row) -> StoredEvent:
    """A row of `statements.EXPORT`."""
    position, user_id, movie_id, type_, value, timestamp, event_id, recommendation_id, rank = row
    event = Event(
        bytes(user_id).decode(),
        bytes(movie_id).decode(),
        type_,
        value,
        timestamp,
        _text(event_id),
        _text(recommendation_id),
        rank,
    )
    return StoredEvent(position, event)


def appended_row(position: int, event: Event) -> tuple[object, ...]:
    """As `statements.APPEND` takes a click or an impression."""
    return (
        position,
        event.user_id.encode(),
        event.movie_id.encode(),
        event.type,
        event.timestamp,
        _bytes(event.event_id),
        _bytes(event.recommendation_id),
        event.rank,
    )


def movie_row(movie: PostedMovie, position: int) -> tuple[object, ...]:
    """As `statements.PUT_MOVIE` takes a movie."""
    genres = None if movie.genres is None else json.dumps(movie.genres).encode()
    title = _bytes(movie.title)
    return (movie.movie_id.encode(), title, genres, movie.year, int(movie.available), position)


def posted_movie(row: Row) -> tuple[PostedMovie, int]:
    """A movie that was put, and its position."""
    movie_id, title, genres, year, available, position = row
    listed = None if genres is None else tuple(json.loads(bytes(genres)))
    movie = PostedMovie(bytes(movie_id).decode(), _text(title), listed, year, bool(available))
    return movie, position


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _text(stored: bytes | None) -> str | None:
    return None if stored is None else bytes(stored).decode()
