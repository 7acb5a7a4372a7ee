"""iALS (Hu, Koren and Volinsky 2008, doi 10.1109/ICDM.2008.22) by the `implicit` package.

Runs in the baselines' environment.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.evaluation.baselines.exchange import Answer, Task, answer
from training.evaluation.metrics import ndcg_parts, ranks_of_user

SETTINGS: list[dict[str, Any]] = [
    {"factors": factors, "alpha": alpha, "regularization": regularization}
    for factors, alpha, regularization in product((32, 64, 128), (1.0, 2.0, 5.0, 20.0), (3.0, 10.0, 30.0))
]
"""Tried on the held-out rows; the one with the best NDCG@10 is fitted again on every row. 15 iterations."""

_MOST_USERS = 2_000
"""With held-out rows, on whom settings are compared; drawn where there are more."""


def factorize(task: Task) -> Answer:
    """Fit the best of `SETTINGS`; the first of them where no row is held out."""
    everything = np.ones(len(task.user_rows), np.bool_)
    best = SETTINGS[0]
    if task.held_out.any():
        best = max(SETTINGS, key=lambda settings: _quality(_fit(task, ~task.held_out, settings), task))
    model = _fit(task, everything, best)
    return {
        "users": np.array(model.user_factors),
        "movies": np.array(model.item_factors),
        "biases": np.zeros(task.num_movies, np.float32),
    }


def _fit(task: Task, rows: NDArray[np.bool_], settings: dict[str, Any]) -> AlternatingLeastSquares:
    model = AlternatingLeastSquares(iterations=15, random_state=task.seed, **settings)
    model.fit(_matrix(task, rows), show_progress=False)
    return model


def _matrix(task: Task, rows: NDArray[np.bool_]) -> csr_matrix:
    """Ones where a user rated a movie, with any stars: retrieval predicts watching, not liking."""
    pairs = task.user_rows[rows], task.movie_rows[rows]
    ones = np.ones(len(pairs[0]), np.float32)
    return csr_matrix((ones, pairs), shape=(task.num_users, task.num_movies))


def _quality(model: AlternatingLeastSquares, task: Task) -> float:
    """NDCG@10 on the held-out rows of users who have others, which are excluded."""
    of_users = []
    known, wanted = _matrix(task, ~task.held_out), _matrix(task, task.held_out)
    users = np.flatnonzero((wanted.getnnz(axis=1) > 0) & (known.getnnz(axis=1) > 0))
    if len(users) > _MOST_USERS:
        users = np.random.default_rng(0).choice(users, _MOST_USERS, replace=False)
    for user in users:
        movies = wanted[user].indices
        unseen, _ = ranks_of_user(model.item_factors @ model.user_factors[user], movies, known[user].indices)
        of_users.append(ndcg_parts(unseen, 10, np.full(len(movies), len(movies))).sum())
    return float(np.mean(of_users)) if of_users else 0.0


if __name__ == "__main__":
    answer(factorize)
