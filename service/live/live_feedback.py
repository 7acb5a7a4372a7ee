"""Feedback in a process: posted, read, and in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from service.errors import QueueFull, StoreError
from service.live.database import Connection, Database
from service.live.decisions import Changes
from service.live.events import Event, Outcome
from service.live.feedback_writer import FeedbackWriter, Session
from service.live.live_reader import LiveReader
from service.live.live_users import LiveView
from service.live.posted_movies import MoviePut, PutOutcome
from service.live.recommendation_ids import RecommendationIds
from service.live.retention import NO_END, Retention
from service.live.store import apply, forget, position_of
from service.live.stored_movies import put_movies
from service.live.tombstones import Tombstones

T = TypeVar("T")


class LiveFeedback:
    """The store as one process uses it. Nothing is opened before `start`, or before the first reading.

    Args:
        database: Of the store; in a forked process, made after the fork.
        cached_users: Most users whose states are cached.
        most_waiting: Requests that may wait to be stored.
        retention: How long what is only appended is kept.
        away: Called when a batch is answered without the store.
        committed: Called with the seconds of each commit.
    """

    def __init__(
        self,
        database: Database,
        *,
        cached_users: int,
        most_waiting: int,
        retention: Retention = NO_END,
        away: Callable[[], None] = lambda: None,
        committed: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self._retention = retention
        self._committed = committed
        self._reader = LiveReader(database, cached_users=cached_users, away=away)
        self._writer: FeedbackWriter | None = None

    @property
    def name(self) -> str:
        """Where the store is, for messages."""
        return self._database.name

    @property
    def recommendation_ids(self) -> RecommendationIds | None:
        """Makes and reads the ids of answers; None before the first `read`."""
        return self._reader.recommendation_ids

    def prepare(self) -> None:
        """Make the store ready; in any thread."""
        self._reader.prepare()

    def start(self) -> None:
        """Begin to take what is posted; in the thread of the event loop whose requests post."""
        self._writer = FeedbackWriter(
            self._database,
            most_waiting=self._most_waiting,
            retention=self._retention,
            committed=self._committed,
        )

    def stop(self) -> None:
        """Write what waits, and close; in any other thread, once nothing reads any more."""
        if self._writer is not None:
            self._writer.stop()
        self._reader.close()
        self._database.close()

    def read(self, user_ids: Iterable[str]) -> LiveView:
        """See `LiveReader.read`; in threads that live as long as the service, each has a connection."""
        return self._reader.read(user_ids)

    async def write(self, events: Sequence[Event]) -> Outcome:
        """See `FeedbackWriter.write`."""
        return await self._running.write(events)

    async def do(self, work: Callable[[Session], T]) -> T:
        """See `FeedbackWriter.do`."""
        return await self._running.do(work)

    def apply(self, session: Session, events: Sequence[Event]) -> Changes:
        """Store events within a transaction, as `do` gives one."""
        return apply(session.connection, events, now=int(time.time()), key=session.key)

    async def forget(self, user_id: str) -> int:
        """Delete all that is kept of a user and leave a tombstone; its position, once that is on the disk.

        Raises:
            QueueFull, StoreError: As of `write`.
        """
        position = await self.do(
            lambda session: forget(session.connection, user_id, now=int(time.time()), key=session.key)
        )
        with suppress(StoreError):  # the user is forgotten all the same
            await asyncio.to_thread(self.query, lambda connection: connection.overwrite_deleted())
        return position

    async def put_movies(self, puts: Sequence[MoviePut]) -> PutOutcome:
        """Note what is given of movies; once that is on the disk.

        Raises:
            QueueFull, StoreError: As of `write`.
        """
        return await self.do(lambda session: put_movies(session.connection, puts))

    @property
    def tombstones(self) -> Tombstones | None:
        """The users who were forgotten, as of the last `read`; None where none was by then."""
        return self._reader.tombstones

    def position(self) -> int:
        """The position of the last change; in any thread.

        Raises:
            StoreError: The store cannot be read.
        """
        return self.query(position_of)

    def query(self, work: Callable[[Connection], T]) -> T:
        """What something reads, with a connection of its own; in any thread.

        Raises:
            StoreError: The store cannot be read.
        """
        self._reader.require()
        with self._database.borrow() as connection:
            return work(connection)

    @property
    def _running(self) -> FeedbackWriter:
        if self._writer is None:
            raise QueueFull("the service is starting; try again shortly")
        return self._writer
