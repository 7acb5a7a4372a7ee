"""Group a table's ratings by user, oldest first, and encode queries from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.query_encoding import NO_HISTORY, QueryInputs, encode_queries
from training.data.table import RatingsTable, tie_order
from training.data.user_blocks import user_blocks


@dataclass(frozen=True, eq=False)
class Histories:
    """Compressed rows: user `u` rated `movie_rows[offsets[u]:offsets[u + 1]]`.

    Attributes:
        user_ids: Users with at least one rating, ascending by their UTF-8 bytes as the bundle needs them.
        table_rows: int32 `[num_users]`, the user's row in the table's own vocabulary.
        offsets: int64 `[num_users + 1]`.
        movie_rows: int32 `[num_ratings]`, by (user, timestamp, `tie_order`).
        ratings: float32 `[num_ratings]`, stars, NaN where not rated.
        weights: float32 `[num_ratings]`, how much each counts as a watch.
        timestamps: int64 `[num_ratings]`, Unix seconds, `NO_TIMESTAMP` where the data has none.
        movie_counts: int64 `[num_candidates]`, ratings of each movie.
    """

    user_ids: tuple[str, ...]
    table_rows: NDArray[np.int32]
    offsets: NDArray[np.int64]
    movie_rows: NDArray[np.int32]
    ratings: NDArray[np.float32]
    weights: NDArray[np.float32]
    timestamps: NDArray[np.int64]
    movie_counts: NDArray[np.int64]

    @classmethod
    def from_table(cls, table: RatingsTable) -> Histories:
        """Group a table's rows by user; users without rows are left out."""
        counts = np.bincount(table.user_rows, minlength=table.num_users)
        present = sorted(np.flatnonzero(counts).tolist(), key=lambda row: table.user_ids[row].encode())
        table_rows = np.array(present, np.int32)
        position = np.full(table.num_users, NO_ROW, np.int32)
        position[table_rows] = np.arange(len(present), dtype=np.int32)
        kept: dict[str, NDArray[Any]] = {"movie_rows": table.movie_rows, "ratings": table.stars}
        kept |= {"weights": table.weights, "timestamps": table.timestamps}
        columns = {name: table.allocate(len(table), values.dtype) for name, values in kept.items()}
        done = 0
        for rows in user_blocks(table.user_rows, table_rows, table.num_users):
            users, movies = table.user_rows[rows], table.movie_rows[rows]
            keys = tie_order(users, movies), table.timestamps[rows], position[users]
            ordered = rows[np.lexsort(keys)]
            for name, values in kept.items():
                columns[name][done : done + len(rows)] = values[ordered]
            done += len(rows)
        return cls(
            user_ids=tuple(table.user_ids[row] for row in present),
            table_rows=table_rows,
            offsets=np.concatenate([[0], np.cumsum(counts[table_rows])]).astype(np.int64),
            **columns,
            movie_counts=table.movie_counts,
        )

    def __len__(self) -> int:
        return len(self.user_ids)

    @property
    def num_candidates(self) -> int:
        """Number of movies, rated or not."""
        return len(self.movie_counts)

    def rows_of(self, user_row: int) -> slice:
        """Return where one user's ratings are in the arrays."""
        return slice(int(self.offsets[user_row]), int(self.offsets[user_row + 1]))

    def history_of(self, user_row: int) -> History:
        """Return one user's ratings; nothing for `NO_ROW`, a cold-start user."""
        if user_row == NO_ROW:
            return NO_HISTORY
        rows = self.rows_of(user_row)
        return History(self.movie_rows[rows], self.ratings[rows], self.timestamps[rows])

    def positions(self, num_table_users: int) -> NDArray[np.int32]:
        """Map the table's user rows to these, int32 `[num_table_users]`; `NO_ROW` without ratings."""
        position = np.full(num_table_users, NO_ROW, np.int32)
        position[self.table_rows] = np.arange(len(self), dtype=np.int32)
        return position

    def query_inputs(
        self, user_rows: NDArray[np.int32], max_history: int, timestamps: NDArray[np.int64] | None = None
    ) -> QueryInputs:
        """Encode queries of these users, each with the most recent `max_history` of all their ratings.

        Args:
            user_rows: int32 `[B]`, `NO_ROW` for a cold-start user without history.
            max_history: Maximum number of movies per query.
            timestamps: int64 `[B]` Unix seconds; None: queries without a time.
        """
        return encode_queries(
            [self.history_of(user_row).last(max_history) for user_row in user_rows.tolist()],
            user_rows,
            NO_TIMESTAMP if timestamps is None else timestamps,
        )
