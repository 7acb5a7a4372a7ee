"""The user of a query: the bundle's history, what the store holds over it, and the history in the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.catalogue import Catalogue
from service.bundle.golden_requests import HistoryEntry
from service.bundle.histories import History
from service.bundle.manifest import Manifest
from service.bundle.query_tower import TowerInput
from service.errors import InvalidField
from service.live.live_users import LiveUser
from service.recommending.stored_users import NO_MOVIES, NO_ROWS, NOBODY, StoredUsers
from service.telemetry.observer import Source

StateKey = int | str | None
"""A user's row, or id where the store holds anything of the user; None for users of whom nothing is known."""


@dataclass(slots=True)
class QueryUser:
    """A user, known or cold-start, at one time.

    Attributes:
        user_row: Position among the bundle's users; None for a user that the bundle does not know.
        seen: Movies of the stored and the sent history, oldest first.
        timestamp: Unix seconds; `NO_TIMESTAMP` for a time-agnostic query.
        max_history: How many of the most recent ones the model reads.
        sent: Whether the request contained a history.
        ignored: Movies of the sent history that the bundle does not know, each once.
        hidden: int32, movies that are kept out of this user's lists.
        live_id: The user's id, where the store holds anything of the user.
        version: Of what the store holds; 0 for nothing.
        is_in_store: Whether the store holds movies of this user that the bundle knows.
        num_readable: Candidate rows that the model knows; None where those are all.
    """

    user_row: int | None
    seen: History
    timestamp: int
    max_history: int
    sent: bool = False
    ignored: Sequence[str] = ()
    hidden: NDArray[np.int32] = field(default_factory=lambda: NO_ROWS)
    live_id: str | None = None
    version: int = 0
    is_in_store: bool = False
    num_readable: int | None = None

    @property
    def read(self) -> History:
        """What the model reads: the most recent of those movies that it was trained with."""
        return self._readable.last(self.max_history)

    @property
    def _readable(self) -> History:
        if self.num_readable is None:
            return self.seen
        return self.seen.take(self.seen.rows < self.num_readable)

    @property
    def state_key(self) -> StateKey:
        """Under which the query state of this user is cached, for one `version`."""
        return self.user_row if self.live_id is None else self.live_id

    @property
    def is_known(self) -> bool:
        """Whether the user was in the training data, or has a history in the store."""
        return self.user_row is not None or self.is_in_store

    @property
    def source(self) -> Source:
        """What an answer to this user is based on."""
        if self.user_row is not None or (self.is_in_store and len(self._readable)):
            return "personalized"
        return "history" if len(self._readable) else "popular"

    def tower_input(self) -> TowerInput:
        """Return the query tower's input for this user."""
        return self._input(self.read)

    def inputs_without_each(self) -> list[TowerInput]:
        """Return one input for each movie that `tower_input` has, with that movie left out, in order.

        If the history is longer than `max_history`, the next older movie takes the free place.
        """
        window = self._readable.last(self.max_history + 1)
        every = np.arange(len(window))
        # The first movie of a window of max_history + 1 only fills the free place.
        return [
            self._input(window.take(np.delete(every, place)))
            for place in range(len(window) - len(self.read), len(window))
        ]

    def _input(self, history: History) -> TowerInput:
        user_row = NO_ROW if self.user_row is None else self.user_row
        return TowerInput(user_row=user_row, timestamp=self.timestamp, history=history)


class QueryUsers:
    """Build the `QueryUser` of a request.

    Args:
        catalogue: Resolves the movie ids of a history.
        stored: Histories of the bundle's users, and what the store holds over them.
        manifest: Has the rating scale and `max_history`. Without a scale the ratings of a sent history are
            ignored, without times the query's: the model knows nothing of them.
    """

    def __init__(self, catalogue: Catalogue, stored: StoredUsers, manifest: Manifest) -> None:
        num_trained = manifest.index.candidates
        self._num_readable = num_trained if len(catalogue) > num_trained else None
        self._catalogue = catalogue
        self._stored = stored
        self._scale = manifest.rating_scale
        self._has_times = manifest.has_times
        self._max_history = manifest.max_history

    def find(
        self,
        user_id: str | None,
        entries: Sequence[HistoryEntry],
        timestamp: int | None,
        *,
        strict: bool = False,
        live: LiveUser | None = None,
    ) -> QueryUser:
        """Return the user with this id, with the stored history followed by the sent one.

        `live` is what the store holds of the user.

        An app's catalogue is newer than any bundle: what is unknown of a history is ignored, unless `strict`.

        Raises:
            UnknownMovie: `strict`, and the history names a movie that is not in the catalogue.
            InvalidField: A rating is outside the scale.
        """
        seen, ignored = self._sent(entries, strict)
        user = NOBODY if user_id is None else self._stored.find(user_id, live)
        if len(user.history):
            stored = user.history
            seen = stored.take(~np.isin(stored.rows, seen.rows)) + seen if len(seen) else stored
        moment = NO_TIMESTAMP
        if timestamp is not None and self._has_times:
            moment = max(timestamp, NO_TIMESTAMP + 1)  # one that equals the marker for "none" is another
        return QueryUser(
            user.user_row,
            seen,
            moment,
            self._max_history,
            sent=bool(entries),
            ignored=ignored,
            hidden=user.hidden,
            live_id=None if live is None else user_id,
            version=user.version,
            is_in_store=user.is_in_store,
            num_readable=self._num_readable,
        )

    def _sent(self, entries: Sequence[HistoryEntry], strict: bool) -> tuple[History, Sequence[str]]:
        """The known movies of a history, and the ids of the others."""
        if not entries:
            return NO_MOVIES, ()
        low, high = self._scale or (-np.inf, np.inf)
        ratings: dict[int, float] = {}
        ignored: dict[str, None] = {}
        for position, entry in enumerate(entries):
            row, rating = self._catalogue.find(entry["movie_id"]), entry["rating"]
            if row is None and strict:
                self._catalogue.row_of(entry["movie_id"], field=f"history.{position}.movie_id")
            if rating is not None and not low <= rating <= high:
                raise InvalidField(
                    f"expected a rating from {low:g} to {high:g} stars, got {rating:g}",
                    field=f"history.{position}.rating",
                )
            if row is None:
                ignored[entry["movie_id"]] = None
                continue
            ratings.pop(row, None)  # a movie named twice takes its last place
            ratings[row] = np.nan if rating is None or self._scale is None else rating
        history = History(
            np.fromiter(ratings.keys(), np.int32, len(ratings)),
            np.fromiter(ratings.values(), np.float32, len(ratings)),
            np.full(len(ratings), NO_TIMESTAMP, np.int64),
        )
        return history, tuple(ignored)
