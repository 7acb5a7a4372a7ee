"""Who asks: what a bundle knows of a person, and what they sent themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.bundle import NO_ROW, NO_TIMESTAMP, HistoryEntry
from service.bundle.catalogue import Catalogue
from service.bundle.histories import Histories, History
from service.bundle.manifest import Manifest
from service.bundle.query_tower import TowerInput
from service.errors import InvalidField
from service.recommending.queries import Source


@dataclass(frozen=True)
class QueryUser:
    """One person at one moment.

    Attributes:
        user_row: Position among the bundle's users; None for a stranger.
        seen: All they saw, stored and sent, oldest first.
        timestamp: Unix seconds; `NO_TIMESTAMP` for a time-agnostic query.
        max_history: The most recent movies of it that the model reads.
        sent: Whether any of it came with the request.
    """

    user_row: int | None
    seen: History
    timestamp: int
    max_history: int
    sent: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the bundle knows them."""
        return self.user_row is not None

    @property
    def source(self) -> Source:
        """What an answer to this person can rest on."""
        if self.is_known:
            return "personalized"
        return "history" if len(self.seen) else "popular"

    def tower_input(self) -> TowerInput:
        """What the query tower reads of them."""
        return self._input(self.seen.last(self.max_history))

    def inputs_without_each(self) -> list[TowerInput]:
        """As `tower_input`, had they not seen one of the movies it reads: one input for each, in order.

        Of a history longer than the model reads, the movie before takes the place of the one left out.
        """
        window = self.seen.last(self.max_history + 1)
        every = np.arange(len(window))
        # The first of the window is not read where it is one too long, so that nothing rests on it.
        return [
            self._input(window.take(np.delete(every, place)))
            for place in range(len(window) - len(self.seen.last(self.max_history)), len(window))
        ]

    def _input(self, history: History) -> TowerInput:
        user_row = NO_ROW if self.user_row is None else self.user_row
        return TowerInput(user_row=user_row, timestamp=self.timestamp, history=history)


_NOTHING = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))


class QueryUsers:
    """Finds persons.

    Args:
        catalogue: Knows the movies of a history.
        histories: What the bundle knows of its users.
        manifest: The rating scale and how much history the model reads.
    """

    def __init__(self, catalogue: Catalogue, histories: Histories, manifest: Manifest) -> None:
        self._catalogue = catalogue
        self._histories = histories
        self._scale = manifest.rating_scale
        self._max_history = manifest.max_history

    def find(self, user_id: str | None, entries: Sequence[HistoryEntry], timestamp: int | None) -> QueryUser:
        """The person with this id and all they saw: stored, then what they sent.

        Raises:
            UnknownMovie: The history names a movie that the bundle does not know.
            InvalidField: A rating outside the scale, or nothing that says who asks.
        """
        if user_id is None and not entries:
            raise InvalidField("expected user_id or a non-empty history, got neither", field="user_id")
        user_row = None if user_id is None else self._histories.user_row(user_id)
        seen = self._sent(entries)
        if user_row is not None:
            stored = self._histories.of_user(user_row)
            seen = stored.take(~np.isin(stored.rows, seen.rows)) + seen if len(seen) else stored
        # The one moment that would read as none at all is moved by a second, 292 billion years ago.
        moment = NO_TIMESTAMP if timestamp is None else max(timestamp, NO_TIMESTAMP + 1)
        return QueryUser(user_row, seen, moment, self._max_history, sent=bool(entries))

    def _sent(self, entries: Sequence[HistoryEntry]) -> History:
        if not entries:
            return _NOTHING
        low, high = self._scale
        ratings: dict[int, float] = {}
        for position, entry in enumerate(entries):
            row = self._catalogue.row_of(entry["movie_id"], field=f"history.{position}.movie_id")
            rating = entry["rating"]
            if rating is not None and not low <= rating <= high:
                raise InvalidField(
                    f"expected a rating from {low:g} to {high:g} stars, got {rating:g}",
                    field=f"history.{position}.rating",
                )
            ratings.pop(row, None)  # so that a movie named twice takes its last place, not its first
            ratings[row] = np.nan if rating is None else rating
        return History(
            np.fromiter(ratings.keys(), np.int32, len(ratings)),
            np.fromiter(ratings.values(), np.float32, len(ratings)),
            np.full(len(ratings), NO_TIMESTAMP, np.int64),
        )
