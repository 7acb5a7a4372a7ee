"""Encode queries as the arguments of a SavedModel's query signatures.

Training, evaluation, export and the service all build them here, so that a model is trained, measured and
served on one encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History

QueryInputs: TypeAlias = dict[str, NDArray[Any]]
"""One-dimensional arrays by argument name (see `QUERY_DTYPES`)."""

QUERY_DTYPES: dict[str, type[np.generic]] = {
    "user_rows": np.int32,
    "timestamps": np.int64,
    "history_lengths": np.int32,
    "history_rows": np.int32,
    "history_ratings": np.float32,
    "history_timestamps": np.int64,
}
"""The arguments of a query signature and their types:

`user_rows` `[B]`: position in the bundle's users, `NO_ROW` for a cold-start user;
`timestamps` `[B]`: Unix seconds, `NO_TIMESTAMP` for a query without a time;
`history_lengths` `[B]`: movies of each history; and of all histories one after another, `[sum of lengths]`:
`history_rows`: candidate rows, oldest first;
`history_ratings`: stars, NaN where not rated;
`history_timestamps`: Unix seconds, `NO_TIMESTAMP` where not known.
"""

NO_HISTORY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))
"""The history of a cold-start user who sends nothing."""


def encode_queries(
    histories: Sequence[History], user_rows: ArrayLike = NO_ROW, timestamps: ArrayLike = NO_TIMESTAMP
) -> QueryInputs:
    """Encode one query for each history.

    Args:
        histories: `B` of them, at least one, each cut to the model's `max_history`.
        user_rows: Position of each user in the bundle, `[B]` or one for all; `NO_ROW` for a cold-start user.
        timestamps: Unix seconds of each query, `[B]` or one for all; `NO_TIMESTAMP` for a query without time.

    Returns:
        `user_rows`, `timestamps` and `history_lengths`, `[B]`, and the concatenated histories as
        `history_rows`, `history_ratings` and `history_timestamps`, `[sum of lengths]`.
    """
    return {
        "user_rows": np.full(len(histories), user_rows, np.int32),
        "timestamps": np.full(len(histories), timestamps, np.int64),
        "history_lengths": np.array([len(each) for each in histories], np.int32),
        "history_rows": np.concatenate([each.rows for each in histories]),
        "history_ratings": np.concatenate([each.ratings for each in histories]),
        "history_timestamps": np.concatenate([each.timestamps for each in histories]),
    }


def untimed_history(rows: ArrayLike, ratings: ArrayLike) -> History:
    """Build the history of movies that were sent with a request, and so have no times.

    Args:
        rows: Candidate rows, oldest first, `[n]`.
        ratings: Stars, `[n]`; NaN where not rated.
    """
    movie_rows = np.asarray(rows, np.int32)
    return History(movie_rows, np.asarray(ratings, np.float32), np.full(len(movie_rows), NO_TIMESTAMP))
