"""Likelihood of held-out movies under what training begins with."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from training.data.table import RatingsTable
from training.evaluation.held_out_users import seen_movies
from training.model.histories import Histories
from training.model.initial_scores import InitialScores

_LOG_FACTOR_SCALES = 0.0, 8.0


class HeldOutLikelihood:
    """Log likelihood of held-out movies under the softmax of initial scores, as a function of scales."""

    def __init__(self, initial: InitialScores, histories: Histories, test: RatingsTable) -> None:
        user_rows = histories.positions(test.num_users)[test.user_rows]
        users, self._users = np.unique(user_rows, return_inverse=True)
        self._movies = test.movie_rows
        self._of_popularity = partial(initial.of_popularity, users)
        self._of_factors = initial.of_factors(users)
        self._seen = seen_movies(histories, users)
        # The movies of a history are masked in training, so one that is watched again counts for nothing.
        self._counted = ~self._seen[self._users, self._movies]

    def best_factor_scale(self, popularity_scale: float) -> float:
        """Return the likeliest scale of the factors; the likelihood has one maximum, for it is concave."""
        popularity = self._of_popularity(popularity_scale)

        def loss(log_scale: float) -> float:
            logits = popularity + np.float32(np.exp(log_scale)) * self._of_factors
            logits[self._seen] = -np.inf
            found = logits[self._users, self._movies] - logsumexp(logits, axis=1)[self._users]
            return -float(found[self._counted].sum())

        found = minimize_scalar(loss, bounds=_LOG_FACTOR_SCALES, method="bounded", options={"xatol": 0.2})
        return round(float(np.exp(found.x)), 2)
