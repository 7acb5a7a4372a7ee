"""Measure specialist baselines, which need packages of their own, on the model's test rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.evaluation.baselines.environment import run
from training.evaluation.baselines.exchange import Answer, Task
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.split_evaluation import evaluate_retrieval, squared_errors
from training.model.histories import Histories

RETRIEVAL, RATING = ("ials", "sasrec"), ("svd",)
"""Modules of this package, by task."""


def measure_specialists(
    train: RatingsTable,
    test: RatingsTable,
    *,
    python: Path,
    split_name: str,
    seed: int,
    on_begin: Callable[[str], None],
) -> dict[str, dict[str, float]]:
    """Fit each specialist on `train` and measures it on `test`.

    Args:
        train: Rows to learn from. Settings are chosen on a part of them, held out as `test` was.
        test: Rows to measure on.
        python: See `environment_python`.
        split_name: How `test` was held out.
        seed: Of the specialists' random numbers.
        on_begin: Called with each one's name.

    Returns:
        Measures by name, the specialists' and the measures'.

    Raises:
        BaselineError: A specialist failed.
    """
    histories = Histories.from_table(train)
    task = make_task(train, test, histories, split_name, seed)
    popularity = Popularity(histories)
    measured = {}
    for name in RETRIEVAL:
        on_begin(name)
        factors = Factors(run(python, f"training.evaluation.baselines.{name}", task), popularity)
        measured[name] = evaluate_retrieval(factors.score, histories, test).measures()
    for name in RATING:
        on_begin(name)
        stars = run(python, f"training.evaluation.baselines.{name}", task)["stars"].astype(np.float64)
        measured[name] = squared_errors(stars, test).measures()
    return measured


def make_task(
    train: RatingsTable, test: RatingsTable, histories: Histories, split_name: str, seed: int
) -> Task:
    """Make the task of each specialist: users are rows of `histories`, pairs to rate are those of `test`."""
    positions = histories.positions(train.num_users)
    users = positions[train.user_rows]
    order = np.lexsort((train.movie_rows, train.timestamps, users))
    held_out = np.zeros(len(train), np.bool_)
    held_out[split_by_name(train, split_name).test] = True
    return Task(
        user_rows=users[order],
        movie_rows=train.movie_rows[order],
        stars=train.stars[order],
        timestamps=train.timestamps[order],
        held_out=held_out[order],
        pair_users=positions[test.user_rows],
        pair_movies=test.movie_rows,
        num_users=len(histories),
        num_movies=train.num_movies,
        scale=np.array(train.rating_scale, np.float64),
        seed=seed,
    )


class Factors:
    """Scores from a retrieval specialist's factors; users without factors get the most popular movies."""

    def __init__(self, answer: Answer, popularity: Popularity) -> None:
        self._users, self._movies, self._biases = (
            answer[name].astype(np.float32) for name in ("users", "movies", "biases")
        )
        self._popularity = popularity

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Score all candidates, float32 `[B, C]`, for int32 `[B]` users."""
        users = self._users[np.maximum(user_rows, 0)]
        scores: NDArray[np.float32] = users @ self._movies.T + self._biases
        unknown = (user_rows < 0) | np.isnan(users).any(axis=1)
        scores[unknown] = self._popularity.score(user_rows[unknown])
        return scores
