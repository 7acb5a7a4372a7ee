"""What the model makes of people, kept where nothing but the bundle decides it.

The state of a known user who sends no history and no time follows from the bundle alone, and so does that
of somebody of whom nothing is known: read once, it can be used again. It belongs to one bundle, goes with it,
and is the same to the last bit as when it is read anew. Whoever sends a history or a time is read every time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from service.bundle.query_tower import QueryTower
from service.recommending.query_users import QueryUser

_State = NDArray[np.float32]


class QueryStates:
    """Reads people with one model, those it does not remember together in one call.

    Args:
        tower: The model.
        size: Most people remembered; past it the one remembered first is forgotten.
    """

    def __init__(self, tower: QueryTower, size: int) -> None:
        self._tower = tower
        self._size = size
        self._remembered: dict[int | None, _State] = {}
        self._changing = threading.Lock()

    def read(self, people: Sequence[QueryUser]) -> NDArray[np.float32]:
        """States by person, float32 `[len(people), tower.width]`."""
        known = [self._remembered.get(each.user_row) if _is_plain(each) else None for each in people]
        missing = [place for place, state in enumerate(known) if state is None]
        if not people:
            return np.empty((0, self._tower.width), np.float32)
        if not missing:
            return np.concatenate([state for state in known if state is not None]).reshape(len(people), -1)
        read = self._tower.read([people[place].tower_input() for place in missing])
        for place, state in zip(missing, read, strict=True):
            if _is_plain(people[place]):
                self._remember(people[place].user_row, state)
        if len(missing) == len(people):
            return read
        states = iter(read)
        return np.stack([next(states) if state is None else state for state in known])

    @property
    def remembered_rows(self) -> list[int]:
        """User rows of whom it remembers, the one that will be forgotten first before the others."""
        with self._changing:
            return [row for row in self._remembered if row is not None]

    def _remember(self, user_row: int | None, state: _State) -> None:
        if self._size == 0:
            return
        with self._changing:
            # A copy: a row of the batch's array would keep all of it.
            self._remembered[user_row] = state.copy()
            if len(self._remembered) > self._size:
                del self._remembered[next(iter(self._remembered))]


def _is_plain(person: QueryUser) -> bool:
    """Whether nothing but the bundle and the user's row decides what the model makes of them."""
    return not person.sent and person.timestamp == NO_TIMESTAMP
