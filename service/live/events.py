"""Events of users about movies, as they are posted, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal, NamedTuple

StateType = Literal["rating", "watch", "hide", "removed"]
"""Types of which the latest of a user and a movie counts. `removed` masks the other three up to its time."""
AppendedType = Literal["click", "impression"]
"""Types of which every one is kept and counted."""
EventType = Literal[StateType, AppendedType]

APPENDED: frozenset[str] = frozenset(("click", "impression"))
REMOVED: StateType = "removed"
MASKED: tuple[StateType, ...] = ("rating", "watch", "hide")
"""What `removed` removes."""


class Event(NamedTuple):
    """What a user did with a movie.

    Attributes:
        user_id: External id, known or not.
        movie_id: External id, known or not.
        type: What it was.
        value: Stars of a rating; None otherwise.
        timestamp: Unix seconds; None for now, and after whatever is stored of the same user and movie.
        event_id: Makes it count once, however often it is sent; None for no such id.
        recommendation_id: Of the answer that showed the movie.
        rank: Of the movie in that answer.
    """

    user_id: str
    movie_id: str
    type: EventType
    value: float | None = None
    timestamp: int | None = None
    event_id: str | None = None
    recommendation_id: str | None = None
    rank: int | None = None


class State(NamedTuple):
    """The latest event of one user, movie and type.

    Attributes:
        user_id: Whose.
        movie_id: Of which movie.
        type: One of `StateType`.
        value: Stars of a rating.
        timestamp: Unix seconds.
        position: When the store took it: rises with every change of the store, each once.
    """

    user_id: str
    movie_id: str
    type: str
    value: float | None
    timestamp: int
    position: int


class Verdict(Enum):
    """What an event does."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"


class Outcome(NamedTuple):
    """What became of events.

    Attributes:
        stored: Events that changed the store.
        unchanged: Events that the store had already.
        superseded: Events older than what the store has of their user, movie and type.
        position: Of the store after them.
        verdicts: Of each event, in order.
    """

    stored: int
    unchanged: int
    superseded: int
    position: int
    verdicts: tuple[Verdict, ...] = ()

    def __add__(self, later: object) -> Outcome:
        if not isinstance(later, Outcome):
            return NotImplemented
        return Outcome(
            self.stored + later.stored,
            self.unchanged + later.unchanged,
            self.superseded + later.superseded,
            max(self.position, later.position),
        )


NOTHING_DONE = Outcome(0, 0, 0, 0)


class StoredEvent(NamedTuple):
    """One line of an export: an event with its position."""

    position: int
    event: Event

    def document(self) -> Mapping[str, object]:
        """As JSON has it, without what is None: what `POST /feedback/import` reads."""
        fields = {name: value for name, value in self.event._asdict().items() if value is not None}
        return fields | {"position": self.position}
