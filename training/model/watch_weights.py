"""How much each watch weighs in the matrix that item factors come from, by its rating."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.model.histories import Histories

_USER_SHRINKAGE, _MOVIE_SHRINKAGE = 3, 5
_LEAST = 0.1


def watch_weights(histories: Histories, rating_emphasis: float) -> NDArray[np.float32]:
    """Weigh watches that are rated higher than user and movie usually are more, the others less.

    A weight is 1 + rating_emphasis x deviation, at least 0.1. The deviation is in standard deviations of all
    ratings, from the mean of all, of the user and of the movie, the latter two shrunk; 0 where not rated.

    Args:
        histories: Who watched what, rated or not.
        rating_emphasis: 0: a watch is a watch.

    Returns:
        float32 `[num_ratings]`, in the order of the histories.
    """
    rated = np.flatnonzero(~np.isnan(histories.ratings))
    weights = np.ones(len(histories.ratings), np.float32)
    if not rating_emphasis or not len(rated):
        return weights
    users = np.repeat(np.arange(len(histories)), np.diff(histories.offsets))[rated]
    movies, stars = histories.movie_rows[rated], histories.ratings[rated].astype(np.float64)
    spread = stars.std()
    if not spread:
        return weights
    deviations = (stars - stars.mean()) / spread
    deviations -= _means(deviations, users, _USER_SHRINKAGE)
    deviations -= _means(deviations, movies, _MOVIE_SHRINKAGE)
    weights[rated] = np.maximum(_LEAST, 1 + rating_emphasis * deviations)
    return weights


def _means(values: NDArray[np.float64], groups: NDArray[np.integer], shrinkage: float) -> NDArray[np.float64]:
    """The mean of each value's group, as if it had `shrinkage` values of 0 too."""
    means = np.bincount(groups, values) / (np.bincount(groups) + shrinkage)
    shared: NDArray[np.float64] = means[groups]
    return shared
