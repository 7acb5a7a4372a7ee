"""Which users of a bundle were forgotten, for lists of users."""

from __future__ import annotations

from service.bundle.histories import Histories
from service.live.tombstones import Tombstones


class ForgottenUsers:
    """Finds the rows of forgotten users, whose tombstones do not name them: by hashing the id of every user.

    Args:
        histories: Of the bundle's users.
    """

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._found: tuple[int, frozenset[int]] = 0, frozenset()

    def rows(self, tombstones: Tombstones) -> frozenset[int]:
        """Rows of users who were forgotten; a microsecond for each user, where that has changed."""
        position, rows = self._found
        if tombstones.last_position != position:
            user_ids = {self._histories.user_id_of(row): row for row in range(len(self._histories))}
            rows = frozenset(user_ids[user_id] for user_id in tombstones.of(user_ids))
            self._found = tombstones.last_position, rows
        return rows
