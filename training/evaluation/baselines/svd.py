"""SVD: biased matrix factorisation by gradient descent, by scikit-surprise.

Koren, Bell and Volinsky 2009, doi 10.1109/MC.2009.263. Runs in the baselines' environment.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import surprise
from numpy.typing import NDArray

from training.evaluation.baselines.exchange import Answer, Task, answer

SETTINGS: list[dict[str, Any]] = [
    {"n_factors": factors, "n_epochs": epochs, "lr_all": 0.005, "reg_all": regularization}
    for factors, epochs, regularization in product((20, 100), (20, 60), (0.09, 0.02, 0.05, 0.2))
]
"""Tried on the held-out rows; the one with the lowest RMSE is fitted again on every row. They are of stars
with a standard deviation of one, so that they fit every scale."""


def predict(task: Task) -> Answer:
    """Predict stars, clipped to the scale, by the best of `SETTINGS`, or by the first with nothing held out.

    Cold-start users and unrated movies have their biases only.
    """
    rated = ~np.isnan(task.stars)
    held_out = rated & task.held_out
    best = SETTINGS[0]
    if held_out.any() and (rated & ~held_out).any():
        best = min(SETTINGS, key=lambda settings: _error(task, rated & ~held_out, held_out, settings))
    return {"stars": _fit_and_predict(task, rated, best, task.pair_users, task.pair_movies)}


def _error(
    task: Task, rows: NDArray[np.bool_], held_out: NDArray[np.bool_], settings: dict[str, Any]
) -> float:
    found = _fit_and_predict(task, rows, settings, task.user_rows[held_out], task.movie_rows[held_out])
    return float(np.mean((found - task.stars[held_out]) ** 2))


def _fit_and_predict(
    task: Task,
    rows: NDArray[np.bool_],
    settings: dict[str, Any],
    users: NDArray[np.int32],
    movies: NDArray[np.int32],
) -> NDArray[np.float64]:
    stars = task.stars[rows].astype(np.float64)
    unit = float(stars.std()) or 1.0
    columns = task.user_rows[rows].tolist(), task.movie_rows[rows].tolist(), (stars / unit).tolist()
    low, high = task.scale.tolist()
    dataset = surprise.Dataset(surprise.Reader(rating_scale=(low / unit, high / unit)))
    trainset = dataset.construct_trainset([(*row, None) for row in zip(*columns, strict=True)])
    model = surprise.SVD(**settings, random_state=task.seed).fit(trainset)
    # One more row, of zeros, for users and movies without a rating.
    user_rows = np.full(task.num_users + 1, trainset.n_users)
    movie_rows = np.full(task.num_movies + 1, trainset.n_items)
    user_rows[[trainset.to_raw_uid(inner) for inner in trainset.all_users()]] = np.arange(trainset.n_users)
    movie_rows[[trainset.to_raw_iid(inner) for inner in trainset.all_items()]] = np.arange(trainset.n_items)
    user_biases, movie_biases = np.append(model.bu, 0), np.append(model.bi, 0)
    user_factors, movie_factors = (np.pad(factors, ((0, 1), (0, 0))) for factors in (model.pu, model.qi))
    at, of = user_rows[users], movie_rows[movies]
    dots = np.einsum("nd,nd->n", user_factors[at], movie_factors[of])
    predicted = trainset.global_mean + user_biases[at] + movie_biases[of] + dots
    stars_of_pairs: NDArray[np.float64] = np.clip(unit * predicted, low, high)
    return stars_of_pairs


if __name__ == "__main__":
    answer(predict)
