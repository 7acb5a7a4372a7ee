"""Exchange tasks and answers with a specialist's process: arrays in npz files, no pickle.

This module, and what it imports, is numpy alone: it runs in both environments.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Answer: TypeAlias = dict[str, NDArray[Any]]
"""Arrays by name. Of a rating specialist `stars`, float `[num_pairs]`. Of a retrieval specialist factors, so
that the answer does not grow with users times movies: `users` `[num_users, D]`, a line of NaN for users
that the specialist does not know, `movies` `[num_movies, D]`, and `biases` `[num_movies]`, minus infinity for
movies that it does not know; the score is users @ movies' + biases."""


@dataclass(frozen=True, eq=False)
class Task:
    """Rows to learn from, and pairs to rate.

    Attributes:
        user_rows: int32 `[num_rows]`, as are `movie_rows`; sorted by user, then by time.
        stars: float32 `[num_rows]`.
        timestamps: int64 `[num_rows]`, Unix seconds.
        held_out: bool `[num_rows]`, the rows on which to choose settings; none where there are too few.
        pair_users, pair_movies: int32 `[num_pairs]`, the pairs whose stars a rating specialist predicts;
            users below 0 are cold-start users.
        num_users, num_movies: Numbers of users and movies, with rows or without.
        scale: float64 `[2]`, the lowest and the highest stars.
        seed: Of random numbers.
    """

    user_rows: NDArray[np.int32]
    movie_rows: NDArray[np.int32]
    stars: NDArray[np.float32]
    timestamps: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    pair_users: NDArray[np.int32]
    pair_movies: NDArray[np.int32]
    num_users: int
    num_movies: int
    scale: NDArray[np.float64]
    seed: int

    def save(self, path: Path) -> None:
        """Write the task as one npz file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Task:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as stored:
            values: dict[str, Any] = {field.name: stored[field.name] for field in fields(cls)}
        return cls(**{name: value if value.ndim else value.item() for name, value in values.items()})


def load_answer(path: Path) -> Answer:
    """Read what `answer` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def answer(specialist: Callable[[Task], Answer]) -> None:
    """Run a specialist as a main program: `python -m <module> <task file> <answer file>`."""
    task_path, answer_path = map(Path, sys.argv[1:])
    arrays: dict[str, Any] = specialist(Task.load(task_path))
    np.savez(answer_path, **arrays)
