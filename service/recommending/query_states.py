"""Query states of the model, cached where nothing but the bundle and the store of feedback decide them.

The state of a user who sends no history and no time follows from the bundle and from what the store holds of
the user, which has a version: computed once, it can be used again while the version is the same. It is the
same to the last bit as when it is computed anew. Where the store holds nothing of a user, the bundle has the
state. A query with a history or a time is computed every time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from service.bundle.query_tower import QueryTower
from service.recommending.query_users import QueryUser, StateKey

_State = NDArray[np.float32]
_NOTHING: tuple[int, _State | None] = -1, None


class QueryStates:
    """Computes query states with one model, those that are not cached together in one call.

    Args:
        tower: The model.
        size: Most users cached; past it the oldest entry is evicted.
        stored: float32 `[num_users, tower.width]`, the bundle's states of its users; None where it has none.
    """

    def __init__(self, tower: QueryTower, size: int, stored: NDArray[np.float32] | None = None) -> None:
        self._tower = tower
        self._size = size
        self._stored = stored
        self._cache: dict[StateKey, tuple[int, _State]] = {}
        self._changing = threading.Lock()

    def read(self, users: Sequence[QueryUser]) -> NDArray[np.float32]:
        """States in the order of `users`, float32 `[len(users), tower.width]`."""
        cached = [self._cached(each) for each in users]
        missing = [place for place, state in enumerate(cached) if state is None]
        if not users:
            return np.empty((0, self._tower.width), np.float32)
        if not missing:
            return np.concatenate([state for state in cached if state is not None]).reshape(len(users), -1)
        computed = self._tower.read([users[place].tower_input() for place in missing])
        for place, state in zip(missing, computed, strict=True):
            if _is_cacheable(users[place]):
                self._add(users[place], state)
        if len(missing) == len(users):
            return computed
        states = iter(computed)
        return np.stack([next(states) if state is None else state for state in cached])

    def _cached(self, user: QueryUser) -> _State | None:
        if not _is_cacheable(user):
            return None
        if self._stored is not None and user.live_id is None and user.user_row is not None:
            stored: _State = self._stored[user.user_row]
            return stored
        version, state = self._cache.get(user.state_key, _NOTHING)
        return state if version == user.version else None

    def _add(self, user: QueryUser, state: _State) -> None:
        if self._size == 0:
            return
        with self._changing:
            # A copy: a row of the batch's array would keep all of it alive.
            self._cache[user.state_key] = user.version, state.copy()
            if len(self._cache) > self._size:
                del self._cache[next(iter(self._cache))]


def _is_cacheable(user: QueryUser) -> bool:
    """Whether nothing but the bundle and the store decides the state."""
    return not user.sent and user.timestamp == NO_TIMESTAMP
