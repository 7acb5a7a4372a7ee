"""What each user rated, oldest first, as arrays; and the query inputs made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.data.table import RatingsTable

QueryInputs: TypeAlias = dict[str, NDArray[np.generic]]
"""The inputs of the signatures `embed_query` and `predict_rating`, as `service.bundle` describes them."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Compressed rows: user `u` rated `movie_rows[offsets[u]:offsets[u + 1]]`.

    Attributes:
        user_ids: Users with at least one rating, ascending by their UTF-8 bytes as the bundle wants them.
        table_rows: int32 `[num_users]`, the user's row in the table's own vocabulary.
        offsets: int64 `[num_users + 1]`.
        movie_rows: int32 `[num_ratings]`, by (user, timestamp, movie row).
        ratings: float32 `[num_ratings]`, stars.
        timestamps: int64 `[num_ratings]`, Unix seconds.
    """

    user_ids: tuple[str, ...]
    table_rows: NDArray[np.int32]
    offsets: NDArray[np.int64]
    movie_rows: NDArray[np.int32]
    ratings: NDArray[np.float32]
    timestamps: NDArray[np.int64]

    @classmethod
    def from_table(cls, table: RatingsTable) -> Histories:
        """Groups a table's rows by user; users without rows are left out."""
        counts = np.bincount(table.user_rows, minlength=table.num_users)
        present = sorted(np.flatnonzero(counts).tolist(), key=lambda row: table.user_ids[row].encode())
        table_rows = np.array(present, np.int32)
        position = np.full(table.num_users, NO_ROW, np.int32)
        position[table_rows] = np.arange(len(present), dtype=np.int32)
        users = position[table.user_rows]
        order = np.lexsort((table.movie_rows, table.timestamps, users))
        return cls(
            user_ids=tuple(table.user_ids[row] for row in present),
            table_rows=table_rows,
            offsets=np.concatenate([[0], np.cumsum(counts[table_rows])]).astype(np.int64),
            movie_rows=table.movie_rows[order],
            ratings=table.stars[order],
            timestamps=table.timestamps[order],
        )

    def __len__(self) -> int:
        return len(self.user_ids)

    def rows_of(self, user_row: int) -> slice:
        """Where one user's ratings are in the arrays."""
        return slice(int(self.offsets[user_row]), int(self.offsets[user_row + 1]))

    def positions(self, num_table_users: int) -> NDArray[np.int32]:
        """int32 `[num_table_users]`: the table's user rows as ours, `NO_ROW` for users without ratings."""
        position = np.full(num_table_users, NO_ROW, np.int32)
        position[self.table_rows] = np.arange(len(self), dtype=np.int32)
        return position

    def query_inputs(
        self, user_rows: NDArray[np.int32], max_history: int, timestamps: NDArray[np.int64] | None = None
    ) -> QueryInputs:
        """Queries of these users with the most recent `max_history` of all they rated.

        Args:
            user_rows: int32 `[B]`, `NO_ROW` for a stranger without history.
            max_history: Most movies per query.
            timestamps: int64 `[B]` Unix seconds; none: time-agnostic queries.
        """
        known = np.maximum(user_rows, 0)
        ends = self.offsets[known + 1]
        lengths = np.where(user_rows == NO_ROW, 0, np.minimum(ends - self.offsets[known], max_history))
        width = max(1, int(lengths.max(initial=0)))
        columns = np.arange(width)
        valid = columns < lengths[:, None]
        index = np.where(valid, (ends - lengths)[:, None] + columns, 0)
        return {
            "user_rows": user_rows,
            "timestamps": np.full(len(user_rows), NO_TIMESTAMP) if timestamps is None else timestamps,
            "history_rows": np.where(valid, self.movie_rows[index], np.int32(NO_ROW)),
            "history_ratings": np.where(valid, self.ratings[index], np.float32(np.nan)),
            "history_timestamps": np.where(valid, self.timestamps[index], NO_TIMESTAMP),
        }
