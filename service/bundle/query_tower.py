"""From queries to query states: what the model of a bundle makes of users, times and histories."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import Histories, History
from service.bundle.query_encoding import NO_HISTORY, QueryInputs, encode_queries, untimed_history
from service.bundle.saved_model import CandidateSignature, QueryStateSignature


@dataclass(slots=True)
class TowerInput:
    """What the query tower reads of one request.

    Attributes:
        user_row: Position among the bundle's users; `NO_ROW` for an unknown user.
        timestamp: Unix seconds; `NO_TIMESTAMP` for a time-agnostic query.
        history: The movies seen, oldest first, no longer than the manifest's `max_history`.
    """

    user_row: int
    timestamp: int
    history: History


class QueryTower:
    """The model of one bundle, from queries to numpy. Made by `open`.

    Args:
        query_state: The model's signature.
        delay_seconds: Added to each call, for tests of overload.
    """

    def __init__(self, query_state: QueryStateSignature, delay_seconds: float) -> None:
        self._query_state = query_state
        self._delay_seconds = delay_seconds

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        intra_op_threads: int = 1,
        inter_op_threads: int = 1,
        delay_seconds: float = 0.0,
    ) -> QueryTower:
        """Load the model of a bundle; arguments and errors as of `QueryStateSignature.open`."""
        signature = QueryStateSignature.open(
            directory, intra_op_threads=intra_op_threads, inter_op_threads=inter_op_threads
        )
        return cls(signature, delay_seconds)

    @property
    def width(self) -> int:
        """Columns of the states that the model makes."""
        return self._query_state.width

    @property
    def embed_candidate(self) -> CandidateSignature | None:
        """Embeds movies that the bundle does not know; None where it cannot."""
        return self._query_state.embed_candidate

    def read(self, inputs: Sequence[TowerInput]) -> NDArray[np.float32]:
        """Query states, float32 `[len(inputs), width]`, as `saved_model` describes them.

        In one model call, or in several where it would need too much memory at once, see
        `MOST_MOVIES_PER_CALL`. A query's state is the same whatever else is in the batch, bit for bit.
        """
        outputs = []
        for part in _parts([len(each.history) for each in inputs]):
            queries = inputs[part]
            columns = _encode([*queries, *_fillers(len(queries))])
            if self._delay_seconds:
                time.sleep(self._delay_seconds)
            outputs.append(self._query_state(columns)[: len(queries)])
        return np.concatenate(outputs) if len(outputs) != 1 else outputs[0]

    def read_stored(
        self, histories: Histories, user_rows: NDArray[np.int64], max_history: int
    ) -> NDArray[np.float32]:
        """What `read` makes of users by their stored histories alone, without a time, to the last bit.

        Encoded without a Python object for each user, which is what offline scoring needs.

        Args:
            histories: Of the same bundle.
            user_rows: int64 `[n]`, at least one.
            max_history: The manifest's.
        """
        lengths = histories.lengths(user_rows, max_history)
        outputs = []
        for part in _parts(lengths.tolist()):
            columns = _encode_stored(histories, user_rows[part], max_history)
            outputs.append(self._query_state(columns)[: len(user_rows[part])])
        return np.concatenate(outputs) if len(outputs) != 1 else outputs[0]


_FILLER = TowerInput(NO_ROW, NO_TIMESTAMP, NO_HISTORY)
_LAST = TowerInput(NO_ROW, NO_TIMESTAMP, untimed_history(np.zeros(16), np.full(16, np.nan)))
_MULTIPLE = 16
"""Batches are filled up with `_FILLER` to a multiple of this and end in `_LAST`; their answers are discarded.
TensorFlow computes as many elements at once as the processor can, and the last few of an array by other
instructions, whose results differ in the last bit. So that equal scores stay equal and pages fit together,
neither queries nor movies that matter are ever among those last few."""

MOST_MOVIES_PER_CALL = 2**17
"""Movies of all histories of one call: each takes a few hundred bytes on the way."""


def _parts(lengths: Sequence[int]) -> Iterator[slice]:
    start, num_movies = 0, 0
    for end, length in enumerate(lengths):
        if end > start and num_movies + length > MOST_MOVIES_PER_CALL:
            yield slice(start, end)
            start, num_movies = end, 0
        num_movies += length
    yield slice(start, len(lengths))


def _encode(inputs: Sequence[TowerInput]) -> QueryInputs:
    return encode_queries(
        [each.history for each in inputs],
        [each.user_row for each in inputs],
        [each.timestamp for each in inputs],
    )


def _fillers(num_queries: int) -> list[TowerInput]:
    return [*[_FILLER] * (-(num_queries + 1) % _MULTIPLE), _LAST]


def _encode_stored(histories: Histories, user_rows: NDArray[np.int64], max_history: int) -> QueryInputs:
    """What `_encode` makes of these users and the fillers."""
    lengths, movies = histories.of_users(user_rows, max_history)
    of_users: QueryInputs = {
        "user_rows": user_rows.astype(np.int32),
        "timestamps": np.full(len(user_rows), NO_TIMESTAMP),
        "history_lengths": lengths.astype(np.int32),
        "history_rows": movies.rows,
        "history_ratings": movies.ratings,
        "history_timestamps": movies.timestamps,
    }
    filled = _encode(_fillers(len(user_rows)))
    return {name: np.concatenate([of_users[name], filled[name]]) for name in of_users}
