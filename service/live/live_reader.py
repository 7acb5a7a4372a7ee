"""Read what the store holds of the users of a batch, as cheaply as nothing where nothing has changed.

A user's version is asked for with each batch, unless the database says that nothing was written since; their
states only where the version is not the one that is cached. So whatever was committed before a batch began
is in its answers, in every process, without messages between them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from service.errors import StoreAway, StoreError
from service.live import statements
from service.live.database import Connection, Database
from service.live.live_users import LiveUser, LiveView
from service.live.migration import migrate
from service.live.recommendation_ids import RecommendationIds
from service.live.seen_store import SeenStore
from service.live.tombstones import Tombstones

logger = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""After a failure the store is left alone for so long: a batch must not wait for what is away."""
_HARDLY_SECONDS = 0.02
"""How long a batch waits for a database that did not answer the last one."""
_MOST_KNOWN = 50_000


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
    """

    def __init__(
        self, database: Database, *, cached_users: int, away: Callable[[], None] = lambda: None
    ) -> None:
        self._database = database
        self._away = away
        self._seen = SeenStore(cached_users)
        self._changing = threading.Lock()
        self._threads = threading.local()
        self._opened: list[Connection] = []
        self._is_closed = False
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
        return self._seen.tombstones

    @property
    def recommendation_ids(self) -> RecommendationIds | None:
        """Of the store; None before the first reading."""
        return self._seen.recommendation_ids

    def _without_store(self, user_ids: Iterable[str]) -> LiveView:
        """Who was forgotten stays so."""
        self._away()
        users = {
            user_id: LiveUser(position, (), position)
            for user_id, position in self._seen.forgotten(user_ids).items()
        }
        return self._seen.view(users, is_live=False)

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
        """Close the connections of all threads; a reading that still goes on closes its own."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        with self._changing:
            self._is_closed = True
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
                self._seen.add_tombstones(reading.connection)
                self._seen.add_movies(reading.connection)
        if reading.is_empty:
            return LiveView(recommendation_ids=self.recommendation_ids)
        known = reading.known
        wanted = {*user_ids}
        if missing := [user_id for user_id in wanted if user_id not in known]:
            known.update(self._seen.users(reading.connection, missing))
        users = {user_id: user for user_id in wanted if (user := known[user_id]) is not None}
        return self._seen.view(users)

    def _open(self) -> _Reading:
        self.require()
        connection = self._database.connect()
        reading = self._threads.reading = _Reading(connection)
        with self._changing:
            is_late = self._is_closed
            if not is_late:
                self._opened.append(connection)
        if is_late:
            raise StoreAway(f"{self._database.name}: the service is stopping")
        self._seen.add_key(connection)
        return reading

    def _drop_connection(self) -> None:
        reading = getattr(self._threads, "reading", None)
        if reading is not None:
            self._threads.reading = None
            with self._changing:
                if reading.connection in self._opened:
                    self._opened.remove(reading.connection)
            reading.connection.close()
