"""What a process has read of the store: shared by its threads, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

from service.live import statements, store
from service.live.database import Connection
from service.live.events import State
from service.live.live_users import NOTHING_WITHHELD, LiveUser, LiveView, Withheld, live_movies
from service.live.posted_movies import NO_MOVIES_POSTED, PostedMovies
from service.live.recommendation_ids import KEY_NAME, RecommendationIds
from service.live.stored_movies import movies_after
from service.live.tombstones import Tombstones

_ALL = 2**62


class SeenStore:
    """Users by version, and what is read only where it is new: tombstones and movies.

    Args:
        cached_users: Most users whose states are kept.

    Attributes:
        tombstones: The users who were forgotten; None before any was read.
        recommendation_ids: Of the store; None before its key was read.
    """

    def __init__(self, cached_users: int) -> None:
        self._cached_users = cached_users
        self._users: dict[str, LiveUser] = {}
        self._withheld = NOTHING_WITHHELD
        self._posted = NO_MOVIES_POSTED
        self._changing = threading.Lock()
        self.tombstones: Tombstones | None = None
        self.recommendation_ids: RecommendationIds | None = None

    def view(self, users: Mapping[str, LiveUser], *, is_live: bool = True) -> LiveView:
        """What is held of some users, with the movies as they were last read."""
        return LiveView(
            users,
            is_live=is_live,
            withheld=self._withheld,
            posted=self._posted,
            recommendation_ids=self.recommendation_ids,
        )

    def forgotten(self, user_ids: Iterable[str]) -> Mapping[str, int]:
        """Those of some users who were forgotten, each with the tombstone's position."""
        return {} if self.tombstones is None else self.tombstones.of(user_ids)

    def users(self, connection: Connection, user_ids: Sequence[str]) -> dict[str, LiveUser | None]:
        """What is held of users now, None of whom nothing is: states are read where a version is new."""
        versions = store.versions_of(connection, user_ids)
        forgotten = self.forgotten(user_ids)
        found: dict[str, LiveUser | None] = dict.fromkeys(user_ids)
        stale: list[str] = []
        for user_id in versions.keys() | forgotten.keys():
            cached = self._users.get(user_id)
            version = max(versions.get(user_id, 0), forgotten.get(user_id, 0))
            if cached is not None and cached.version == version:
                found[user_id] = cached
            else:
                stale.append(user_id)
        if stale:
            states: dict[str, list[State]] = {user_id: [] for user_id in stale}
            for state in store.states_of(connection, stale):
                states[state.user_id].append(state)
            for user_id in stale:
                version = max(versions.get(user_id, 0), forgotten.get(user_id, 0))
                user = LiveUser(version, live_movies(states[user_id]), forgotten.get(user_id))
                found[user_id] = user
                self._cache(user_id, user)
        return found

    def add_key(self, connection: Connection) -> None:
        """Read the key of recommendation ids, where that was not done yet."""
        if self.recommendation_ids is None:
            self.recommendation_ids = RecommendationIds(store.key_of(connection, KEY_NAME))

    def add_tombstones(self, connection: Connection) -> None:
        """Read who was forgotten since the last time."""
        with self._changing:
            if self.tombstones is None:
                self.tombstones = Tombstones(store.key_of(connection))
            self.tombstones.add(connection.read(statements.NEW_TOMBSTONES, (self.tombstones.last_position,)))

    def add_movies(self, connection: Connection) -> None:
        """Read which movies were put since the last time."""
        with self._changing:
            rows = movies_after(connection, self._withheld.version, _ALL)
            if not rows:
                return
            withheld = {*self._withheld.movie_ids}
            posted = {**self._posted.by_id}
            is_other = False
            for movie, _ in rows:
                (withheld.discard if movie.available else withheld.add)(movie.movie_id)
                if movie.is_described:
                    former = posted.get(movie.movie_id)
                    posted[movie.movie_id] = movie._replace(available=True)
                    is_other |= former != posted[movie.movie_id]
            self._withheld = Withheld(rows[-1][1], frozenset(withheld))
            if is_other:
                self._posted = PostedMovies(posted)

    def _cache(self, user_id: str, user: LiveUser) -> None:
        if self._cached_users == 0:
            return
        with self._changing:
            self._users[user_id] = user
            if len(self._users) > self._cached_users:
                del self._users[next(iter(self._users))]
