"""A user's stored history: the bundle's, and over it what the store of feedback holds.

Both may hold the same event: state is keyed by user and movie and the later time wins, so that does not
matter.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from service.bundle.catalogue import Catalogue
from service.bundle.histories import Histories, History
from service.bundle.manifest import Manifest
from service.errors import UnknownUser
from service.live.live_users import LiveMovie, LiveUser

NO_ROWS = np.empty(0, np.int32)
NO_MOVIES = History(NO_ROWS, np.empty(0, np.float32), np.empty(0, np.int64))


@dataclass(slots=True)
class StoredUser:
    """What is stored of a user.

    Attributes:
        user_row: Position among the bundle's users; None for a user that it does not know, or must not.
        history: Movies seen, oldest first.
        hidden: int32, movies that are kept out of this user's lists.
        version: Of what the store holds; 0 for nothing.
        is_in_store: Whether the store holds movies of this user that the bundle knows.
    """

    user_row: int | None
    history: History
    hidden: NDArray[np.int32] = field(default_factory=lambda: NO_ROWS)
    version: int = 0
    is_in_store: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the bundle knows the user, or the store movies of the user."""
        return self.user_row is not None or self.is_in_store


NOBODY = StoredUser(None, NO_MOVIES)


class StoredUsers:
    """Finds what is stored of users; safe to be used by several threads.

    Args:
        catalogue: Of the bundle.
        histories: Of its users.
        manifest: Has the rating scale, and whether the bundle knows of times.
        size: Most users cached of whom the store holds anything.
    """

    def __init__(
        self, catalogue: Catalogue, histories: Histories, manifest: Manifest, *, size: int = 0
    ) -> None:
        self._catalogue = catalogue
        self._histories = histories
        self._scale = manifest.rating_scale
        self._has_times = manifest.has_times
        self._size = size
        self._cache: dict[str, StoredUser] = {}
        self._changing = threading.Lock()

    def find(self, user_id: str, live: LiveUser | None = None) -> StoredUser:
        """What is stored of a user; views of the bundle's arrays, not copies, where the store holds nothing.

        Args:
            user_id: External id.
            live: What the store holds of the user.
        """
        if live is None:
            user_row = self._histories.user_row(user_id)
            return NOBODY if user_row is None else StoredUser(user_row, self._histories.of_user(user_row))
        cached = self._cache.get(user_id)
        if cached is not None and cached.version == live.version:
            return cached
        user = self._merged(user_id, live)
        if self._size:
            with self._changing:
                self._cache[user_id] = user
                if len(self._cache) > self._size:
                    del self._cache[next(iter(self._cache))]
        return user

    def known(self, user_id: str, live: LiveUser | None = None) -> StoredUser:
        """As `find`.

        Raises:
            UnknownUser: Neither the bundle nor the store knows the user.
        """
        user = self.find(user_id, live)
        if not user.is_known:
            raise UnknownUser(
                f"no user has the id {user_id!r}; expected one whose ratings this bundle was trained on, or "
                "whose "
                "feedback was posted",
                field="user_id",
            )
        return user

    def _merged(self, user_id: str, live: LiveUser) -> StoredUser:
        user_row = None if live.forgotten_at is not None else self._histories.user_row(user_id)
        history = NO_MOVIES if user_row is None else self._histories.of_user(user_row)
        movies = {
            row: movie for movie in live.movies if (row := self._catalogue.find(movie.movie_id)) is not None
        }
        hidden = np.array([row for row, movie in movies.items() if movie.is_hidden], np.int32)
        places = {row: place for place, row in enumerate(history.rows.tolist()) if row in movies}
        kept = np.ones(len(history), np.bool_)
        rows, stars, times = [], [], []
        for row, movie in movies.items():
            place = places.get(row)
            former = None if place is None else _entry(history, place)
            entry = _latest(movie, former)
            if place is not None and entry is not former:
                kept[place] = False
            if entry is not None and entry is not former:
                rows.append(row)
                stars.append(entry[0])
                times.append(entry[1])
        seen = self._in_order(history.take(kept), rows, stars, times)
        return StoredUser(user_row, seen, hidden, live.version, is_in_store=bool(rows))

    def _in_order(self, history: History, rows: list[int], stars: list[float], times: list[int]) -> History:
        """The bundle's movies and those of the store, oldest first."""
        if not rows:
            return history
        given = np.full(len(rows), np.nan) if self._scale is None else np.clip(stars, *self._scale)
        posted = History(np.array(rows, np.int32), given.astype(np.float32), np.array(times, np.int64))
        both = history + posted
        in_order = both.take(np.argsort(both.timestamps, kind="stable"))
        if self._has_times:
            return in_order
        return History(in_order.rows, in_order.ratings, np.full(len(both), NO_TIMESTAMP, np.int64))


_Entry = tuple[float, int]
"""Stars, NaN without, and Unix seconds."""


def _entry(history: History, place: int) -> _Entry:
    return float(history.ratings[place]), int(history.timestamps[place])


def _latest(movie: LiveMovie, former: _Entry | None) -> _Entry | None:
    """A movie's entry in the history: the bundle's own object where nothing changes it."""
    if former is not None and movie.removed_at is not None and former[1] <= movie.removed_at:
        former = None
    if movie.seen_at is None:
        return former
    stars = np.nan if movie.stars is None else movie.stars
    if former is None:
        return stars, movie.seen_at
    # A watch leaves the stars as they are; a rating that is older than the bundle's is superseded.
    if movie.rated_at is None or movie.rated_at < former[1]:
        stars = former[0]
    if movie.seen_at < former[1]:
        return former
    return stars, movie.seen_at
