"""Dislikes: what lists of cold-start users, and the reasons of any list, make of movies that were rated low.

Disliked is what has fewer stars than the middle of the scale.

The retrieval task learns what people watch next, and who watched a movie and disliked it goes on to watch the
like of it: one star for Star Wars would put Return of the Jedi first. So in the default order of a cold-start
user who dislikes any movie that the model reads, a movie of the pool has the key

min(score, score without the disliked movies) - `STARS_WEIGHT` * (highest - stars) / (highest - lowest)

What is disliked can lower a score and never raise it, and of two movies that are as likely to be watched the
one with more predicted stars comes first. docs/evaluation.md has what that is worth, and how the weight was
chosen. Users of the training data keep their order: the model has learned what they dislike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from service.recommending.query_users import QueryUser

Scale = tuple[float, float]

STARS_WEIGHT = 4.0
"""What the whole scale counts, in units of the score, which is a logit: of one to five stars, each one."""


def are_disliked(ratings: NDArray[np.float32], scale: Scale | None) -> NDArray[np.bool_]:
    """Which ratings are of disliked movies; NaN is none, and without a scale nothing is."""
    if scale is None:
        return np.zeros(len(ratings), np.bool_)
    disliked: NDArray[np.bool_] = ratings < sum(scale) / 2
    return disliked


def without_dislikes(user: QueryUser, scale: Scale | None) -> QueryUser | None:
    """A cold-start user as if the disliked movies had not been seen; None where that changes nothing."""
    if user.user_row is not None or not len(user.seen) or not are_disliked(user.read.ratings, scale).any():
        return None
    liked = user.seen.take(~are_disliked(user.seen.ratings, scale))
    # As if it was sent, or the state would be cached as that of the whole history.
    return replace(user, seen=liked, sent=True)


def keys_with_dislikes(
    scores: NDArray[np.float32], without: NDArray[np.float32], stars: NDArray[np.float64], scale: Scale
) -> NDArray[np.float64]:
    """Sort keys float64 `[n]`.

    Args:
        scores: float32 `[n]`, by the whole history.
        without: float32 `[n]`, by the history without disliked movies.
        stars: float64 `[n]`, predicted by the whole history.
        scale: Of the stars.
    """
    return np.minimum(scores, without).astype(np.float64) - stars_weight(scale) * (scale[1] - stars)


def stars_weight(scale: Scale) -> float:
    """What one star counts."""
    return STARS_WEIGHT / (scale[1] - scale[0])
