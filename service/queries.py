"""What is asked of a recommender and what it answers: plain values and numpy arrays, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.bundle import HistoryEntry

Source = Literal["personalized", "history", "popular"]


@dataclass(frozen=True, kw_only=True)
class RecommendQuery:
    """A request for the best candidates.

    Attributes:
        user_id: External id; None for a person without an account.
        history: Movies seen, oldest first, besides those the bundle knows of. Of a movie named twice the
            last entry counts.
        timestamp: Unix seconds; None for a time-agnostic query.
        k: Most items wanted.
        exclude_seen: Whether to leave out every movie of the stored and the given history.
    """

    user_id: str | None = None
    history: Sequence[HistoryEntry] = ()
    timestamp: int | None = None
    k: int = 10
    exclude_seen: bool = True


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The best candidates, best first.

    Attributes:
        source: `personalized` for a known user, `history` for a stranger who gave one, else `popular`.
        rows: int32 `[n]`, candidate rows, n at most k.
        scores: float32 `[n]`, never rising: similarity to the query or, where popular, the share of the
            bundle's users who rated the movie.
        predicted_ratings: float64 `[n]`, stars within the bundle's scale.
    """

    source: Source
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    predicted_ratings: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RatingQuery:
    """A request for the stars that a person would give one movie, named by its id or its title."""

    user_id: str | None = None
    history: Sequence[HistoryEntry] = ()
    timestamp: int | None = None
    movie_id: str | None = None
    movie_title: str | None = None


@dataclass(frozen=True, kw_only=True)
class PredictedRating:
    """A predicted rating.

    Attributes:
        row: Candidate row of the movie.
        stars: The prediction, clipped to the bundle's scale.
        known_user: Whether the bundle knows the user.
    """

    row: int
    stars: float
    known_user: bool
