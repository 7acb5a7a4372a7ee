"""Measure specialist baselines, which need packages of their own, on the model's test rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.data.splits import split_by_name
from training.data.table import tie_order
from training.evaluation.baseline_evaluation import Baseline, measure_scores
from training.evaluation.baselines.environment import Environment, run
from training.evaluation.baselines.exchange import Answer, Task
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.held_out import HeldOut
from training.evaluation.query_evaluation import squared_errors
from training.model.histories import Histories

_RATING = {"svd"}


def measure_specialists(
    held_out: HeldOut,
    environment: Environment,
    *,
    seed: int,
    on_begin: Callable[[str], None] = lambda _name: None,
) -> dict[str, Baseline]:
    """Fit each specialist on the training rows and measure it on the test rows.

    Args:
        held_out: Settings are chosen on a part of the training rows, held out as the test rows were.
        environment: Which specialists there are; those of ratings are left out where there are no ratings.
        seed: Of the specialists' random numbers.
        on_begin: Called with each one's name.

    Returns:
        Measured by name of the specialist.

    Raises:
        BaselineError: A specialist failed.
    """
    train, test = held_out.train, held_out.test
    histories = Histories.from_table(train)
    task = make_task(held_out, histories, seed)
    popularity = Popularity(histories)
    measured = {}
    for name in environment.specialists:
        if name in _RATING and not train.is_rated.any():
            continue
        on_begin(name)
        answer = run(environment.python, f"training.evaluation.baselines.{name}", task)
        measured[name] = (
            Baseline(squared_errors(answer["stars"].astype(np.float64), test))
            if name in _RATING
            else measure_scores(Factors(answer, popularity).score, histories, test)
        )
    return measured


def make_task(held: HeldOut, histories: Histories, seed: int) -> Task:
    """Make the task of each specialist: users are rows of `histories`, pairs to rate are the test rows."""
    train, test = held.train, held.test
    positions = histories.positions(train.num_users)
    users = positions[train.user_rows]
    order = np.lexsort((tie_order(train.user_rows, train.movie_rows), train.timestamps, users))
    held_out = np.zeros(len(train), np.bool_)
    held_out[split_by_name(train, held.split).test] = True
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
        scale=np.array(train.rating_scale or (np.nan, np.nan), np.float64),
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
