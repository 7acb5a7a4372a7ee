"""What training reads of the store of feedback: the only module of this package that it imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby

from service.bundle.candidate_encoding import MovieContent
from service.errors import StoreRefused
from service.live import statements
from service.live.database import Database, ReadingConnection
from service.live.events import State
from service.live.live_users import LiveMovie, live_movies
from service.live.migration import require_schema
from service.live.opening import OFF, database_of
from service.live.posted_content import content_over
from service.live.store import key_of, position_of, states_in_order
from service.live.stored_movies import movies_after
from service.live.tombstones import Tombstones

_PART = 50_000
"""States read at once."""
_ALL = 2**62


class TrainingFeed:
    """A store at one moment; within `reading`.

    Attributes:
        key: Of this store: another one has another.
        position: Of the last change.
    """

    def __init__(self, connection: ReadingConnection) -> None:
        self._connection = connection
        self.key = key_of(connection)
        self.position = position_of(connection)
        self._tombstones = Tombstones(self.key)
        self._tombstones.add(connection.read(statements.NEW_TOMBSTONES, (0,)))

    def forgotten(self, user_ids: Iterable[str], *, after: int = 0) -> list[str]:
        """Those of some users who were forgotten.

        Args:
            user_ids: External ids.
            after: Since which position of the store.
        """
        return [user_id for user_id, position in self._tombstones.of(user_ids).items() if position > after]

    def watched(self) -> Iterator[tuple[str, LiveMovie]]:
        """What users did, each user and movie once: user id and movie, in the order of the ids' bytes."""
        states = states_in_order(self._connection, _PART)
        for (user_id, _), group in groupby(states, key=_pair):
            for movie in live_movies(group):
                yield user_id, movie

    def movies_over(self, known: Mapping[str, MovieContent | None]) -> dict[str, MovieContent]:
        """What is in force of movies of which apps put a title, genres or a year.

        Args:
            known: What else there is of movies, by external id, in the order of the catalogue; None for a
                movie of which there is nothing. Others are left out.

        Returns:
            By id; without those of which only genres or a year were put, where there is nothing else.
        """
        spellings: dict[str, str] = {}
        for content in known.values():
            for genre in () if content is None else content.genres:
                spellings.setdefault(genre.casefold(), genre)
        found: dict[str, MovieContent] = {}
        for movie, _ in movies_after(self._connection, 0, _ALL):
            if movie.movie_id in known and movie.is_described:
                content = content_over(known[movie.movie_id], movie, spellings)
                if content is not None:
                    found[movie.movie_id] = content
        return found


@contextmanager
def reading(setting: str) -> Iterator[TrainingFeed]:
    """Open a store for a block that reads it as of one moment, also while services write.

    Args:
        setting: As MATINEE_STORE of the service: a path, or a URL of PostgreSQL.

    Raises:
        StoreRefused: There is no store, or one of another schema.
        StoreError: It cannot be read.
    """
    database: Database | None = database_of(setting)
    if database is None:
        raise StoreRefused(f"expected the path or the URL of a store of feedback, got {OFF!r}")
    try:
        with database.reading() as connection:
            require_schema(database, connection)
            with connection.snapshot():
                yield TrainingFeed(connection)
    finally:
        database.close()


def _pair(state: State) -> tuple[str, str]:
    return state.user_id, state.movie_id
