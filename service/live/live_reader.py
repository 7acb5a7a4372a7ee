"""Read what the store holds of the users of a batch, as cheaply as nothing where nothing has changed.

A user's version is asked for with each batch, unless the database says that nobody has written since; their
states
only where the version is not the one that is cached. So whatever was committed before a batch began is in its
answers, in every process, without messages between them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from service.errors import StoreError
from service.live import statements, store
from service.live.database import Connection, Database
from service.live.events import State
from service.live.live_users import NOTHING_WITHHELD, LiveUser, LiveView, Withheld, live_movies
from service.live.migration import migrate
from service.live.posted_movies import NO_MOVIES_POSTED, PostedMovies
from service.live.recommendation_ids import KEY_NAME, RecommendationIds
from service.live.tombstones import Tombstones

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""After a failure the store is left alone for so long: a batch must not wait for what is away."""
_HARDLY_SECONDS = 0.02
"""How long a batch waits for a database that did not answer the last one."""
_MOST_KNOWN = 50_000
_ALL = 2**62


@dataclass
class _Reading:
    """A thread's connection, and what is known since the database last changed.

    Attributes:
        connection: Of this thread.
        known: Users asked for since, None for those of whom nothing is held.
        is_empty: Whether the store held nothing at all.
    """

    connection: Connection
    known: dict[str, LiveUser | None] = field(default_factory=dict)
    is_empty: bool = True


class LiveReader:
    """Reads users; safe to be used by several threads, each of which has a connection of its own.

    Args:
        database: Of the store.
        cached_users: Most users whose states are cached.
        away: Called when the store could not be read.

    Attributes:
        withheld: Movies that are not available, as of the last reading.
        posted: Movies that apps described, likewise.
        recommendation_ids: Of the store; None before the first reading.
    """

    def __init__(
        self, database: Database, *, cached_users: int, away: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._cached_users = cached_users
        self._away = away
        self._users: dict[str, LiveUser] = {}
        self._tombstones: Tombstones | None = None
        self.withheld = NOTHING_WITHHELD
        self.posted = NO_MOVIES_POSTED
        self.recommendation_ids: RecommendationIds | None = None
        self._changing = threading.Lock()
        self._threads = threading.local()
        self._opened: list[Connection] = []
        self._retry_at = 0.0
        self._is_migrated = False
        self._patience_seconds = database.patience_seconds
        self._is_near = True
        self._asked: Future[LiveView] | None = None
        self._asking = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feedback-reader")

    def read(self, user_ids: Iterable[str]) -> LiveView:
        """What is held of some users now; where the store cannot be read, that it is away. Never raises."""
        if self._patience_seconds is None:
            return self._read_here(user_ids)
        # By a thread, because a database elsewhere may not answer, and the event loop must not wait for that.
        if self._asked is not None and not self._asked.done():
            return self._without_store(user_ids)
        with self._asking:
            self._asked = asked = self._thread.submit(self._read_here, [*user_ids])
            try:
                view = asked.result(self._patience_seconds if self._is_near else _HARDLY_SECONDS)
            except TimeoutError:
                logger.warning(
                    "answering without the store of feedback: %s does not answer", self._database.name
                )
                self._is_near = False
                return self._without_store(user_ids)
        self._is_near = view.is_live
        return view

    def _read_here(self, user_ids: Iterable[str]) -> LiveView:
        if time.monotonic() < self._retry_at:
            return self._without_store(user_ids)
        try:
            return self._read(user_ids)
        except StoreError as error:
            logger.warning("answering without the store of feedback: %s", error)
            self._retry_at = time.monotonic() + RETRY_SECONDS
            self._drop_connection()
            return self._without_store(user_ids)

    @property
    def tombstones(self) -> Tombstones | None:
        """The users who were forgotten, as of the last reading; None where none was by then."""
        return self._tombstones

    def _without_store(self, user_ids: Iterable[str]) -> LiveView:
        """Who was forgotten stays so."""
        self._away()
        forgotten = {} if self._tombstones is None else self._tombstones.of(user_ids)
        users = {user_id: LiveUser(position, (), position) for user_id, position in forgotten.items()}
        return LiveView(
            users,
            is_live=False,
            withheld=self.withheld,
            posted=self.posted,
            recommendation_ids=self.recommendation_ids,
        )

    def prepare(self) -> None:
        """Make the store ready, which takes a moment where there is none yet. Never raises."""
        try:
            self.require()
        except StoreError as error:
            logger.warning("the store of feedback cannot be used: %s", error)

    def require(self) -> None:
        """Make the store ready, where that was not done yet.

        Raises:
            StoreError: It cannot be used.
        """
        if not self._is_migrated:
            migrate(self._database)
            self._is_migrated = True

    def close(self) -> None:
        """Close the connections of all threads; none of them may read any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._changing:
            for connection in self._opened:
                connection.close()
            self._opened.clear()

    def _read(self, user_ids: Iterable[str]) -> LiveView:
        reading: _Reading = getattr(self._threads, "reading", None) or self._open()
        if reading.connection.has_changed() or len(reading.known) > _MOST_KNOWN:
            reading.known.clear()
            if reading.is_empty:
                reading.is_empty = not reading.connection.read(statements.HAS_ANY)
            if not reading.is_empty:
                self._add_tombstones(reading.connection)
                self._add_movies(reading.connection)
        if reading.is_empty:
            return LiveView(recommendation_ids=self.recommendation_ids)
        known = reading.known
        wanted = {*user_ids}
        if missing := [user_id for user_id in wanted if user_id not in known]:
            known.update(self._ask(reading.connection, missing))
        users = {user_id: user for user_id in wanted if (user := known[user_id]) is not None}
        return LiveView(
            users,
            withheld=self.withheld,
            posted=self.posted,
            recommendation_ids=self.recommendation_ids,
        )

    def _ask(self, connection: Connection, user_ids: Sequence[str]) -> dict[str, LiveUser | None]:
        versions = store.versions_of(connection, user_ids)
        forgotten = {} if self._tombstones is None else self._tombstones.of(user_ids)
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

    def _cache(self, user_id: str, user: LiveUser) -> None:
        if self._cached_users == 0:
            return
        with self._changing:
            self._users[user_id] = user
            if len(self._users) > self._cached_users:
                del self._users[next(iter(self._users))]

    def _add_tombstones(self, connection: Connection) -> None:
        with self._changing:
            if self._tombstones is None:
                self._tombstones = Tombstones(store.key_of(connection))
            self._tombstones.add(
                connection.read(statements.NEW_TOMBSTONES, (self._tombstones.last_position,))
            )

    def _add_movies(self, connection: Connection) -> None:
        with self._changing:
            rows = store.movies_after(connection, self.withheld.version, _ALL)
            if not rows:
                return
            withheld = {*self.withheld.movie_ids}
            posted = {**self.posted.by_id}
            is_other = False
            for movie, _ in rows:
                (withheld.discard if movie.available else withheld.add)(movie.movie_id)
                if movie.is_described:
                    former = posted.get(movie.movie_id)
                    posted[movie.movie_id] = movie._replace(available=True)
                    is_other |= former != posted[movie.movie_id]
            self.withheld = Withheld(rows[-1][1], frozenset(withheld))
            if is_other:
                self.posted = PostedMovies(posted)

    def _open(self) -> _Reading:
        self.require()
        connection = self._database.connect()
        if self.recommendation_ids is None:
            self.recommendation_ids = RecommendationIds(store.key_of(connection, KEY_NAME))
        with self._changing:
            self._opened.append(connection)
        reading = self._threads.reading = _Reading(connection)
        return reading

    def _drop_connection(self) -> None:
        reading = getattr(self._threads, "reading", None)
        if reading is not None:
            self._threads.reading = None
            with self._changing:
                if reading.connection in self._opened:
                    self._opened.remove(reading.connection)
            reading.connection.close()
