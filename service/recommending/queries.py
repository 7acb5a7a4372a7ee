"""Queries to the recommender and its results: plain values and numpy arrays, no HTTP.

None of them is changed once made. They have slots and are not frozen: to make a frozen one takes three times
as long, and each request makes a dozen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.bundle.golden_requests import HistoryEntry
from service.telemetry.observer import Source

RankBy = Literal["retrieval", "rating", "blend"]

DEEPEST = 1_000
"""Largest `offset + k`, and the size of the pool that is re-ranked: one size, so that all pages of a query
agree on the order."""

COLD_RATINGS = 5
"""A movie is cold that fewer users than this have rated, or watched where nothing is rated."""

MOST_NAMED = 3
"""Most movies of the history that explain one item."""


@dataclass(frozen=True, kw_only=True)
class MovieFilter:
    """Conditions on movies; one is returned only if it meets all of them.

    Attributes:
        genres_any: Has at least one of these; no condition if empty. Genres are compared case-insensitively,
            and an unknown one is not an error.
        genres_all: Has all of these.
        genres_none: Has none of these.
        year_min: Released in this year or later; a movie without a year fails.
        year_max: Released in this year or earlier, likewise.
        movie_ids: Is one of these; None is no condition, an empty list matches nothing.
    """

    genres_any: Sequence[str] = ()
    genres_all: Sequence[str] = ()
    genres_none: Sequence[str] = ()
    year_min: int | None = None
    year_max: int | None = None
    movie_ids: Sequence[str] | None = None


@dataclass(slots=True, kw_only=True)
class RecommendQuery:
    """A query for recommendations.

    Attributes:
        user_id: External id; None for a user without one.
        history: Movies seen, oldest first, besides the stored history. The last entry of a movie counts.
        timestamp: Unix seconds; None for a time-agnostic query.
        k: Most items to return.
        offset: Items to skip first; `offset + k` is at most `DEEPEST`.
        exclude_seen: Whether to exclude the movies of the stored and the given history.
        exclude: Ids of movies never to return.
        filter: Which movies may be returned; None for all.
        rank_by: What orders the list, see `service.recommending.ranking`; None for the score, but of a
            cold-start user with dislikes for what `service.recommending.dislikes` makes of it.
        diversity: 0 to 1, weight of dissimilarity to the items above.
        explain: Whether to name the movies of the history that contribute most to each item.
        explore: 0 to 1, share of the places for movies with few ratings, see
            `service.recommending.exploration`; None for what is set for the service.
        strict: Whether an unknown movie, wherever it is named, is an error instead of ignored.
    """

    user_id: str | None = None
    history: Sequence[HistoryEntry] = ()
    timestamp: int | None = None
    k: int = 10
    offset: int = 0
    exclude_seen: bool = True
    exclude: Sequence[str] = ()
    filter: MovieFilter | None = None
    rank_by: RankBy | None = None
    diversity: float = 0.0
    explain: bool = False
    explore: float | None = None
    strict: bool = False

    @property
    def depth(self) -> int:
        """Position in the list at which the page ends."""
        return self.offset + self.k

    @property
    def is_reordered(self) -> bool:
        """Whether the list is re-ranked after retrieval, for any user."""
        return self.is_by_stars or self.diversity > 0

    @property
    def is_by_stars(self) -> bool:
        """Whether the order that is asked for needs predicted ratings."""
        return self.rank_by in {"rating", "blend"}


@dataclass(frozen=True)
class Contribution:
    """What one movie of the history adds to an item's sort key.

    Attributes:
        row: Candidate row of the movie.
        score: What it adds.
        stars: The user's rating of the movie; None without.
    """

    row: int
    score: float
    stars: float | None = None


@dataclass(slots=True, kw_only=True)
class Recommendation:
    """One page of recommended candidates, best first.

    Attributes:
        source: `personalized` for a known user, `history` for a cold-start user with one, else `popular`:
            what the model predicts of a cold-start user.
        offset: Number of items before the page.
        rows: int32 `[n]`, candidate rows, n at most k.
        scores: float32 `[n]`, similarity to the query.
        rank_scores: float64 `[n]`, sort keys, non-increasing.
        predicted_ratings: float64 `[n]`, stars within the rating scale; NaN in a bundle without ratings.
        because: For each item up to `MOST_NAMED` movies of the history that were not disliked, largest
            contribution first; None unless `explain`.
        although: Likewise those that were disliked.
        ignored: Movies that the query names and that are unknown, each once.
        explored: bool `[n]`, which items are there by exploration; None without.
        is_reordered: Whether the sort keys are others than the scores.
    """

    source: Source
    offset: int
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    rank_scores: NDArray[np.float64]
    predicted_ratings: NDArray[np.float64]
    because: list[Sequence[Contribution]] | None = None
    although: list[Sequence[Contribution]] | None = None
    ignored: Sequence[str] = ()
    explored: NDArray[np.bool_] | None = None
    is_reordered: bool = False


@dataclass(slots=True, kw_only=True)
class RatingQuery:
    """A query for the rating a user would give one movie, named by its id or its title."""

    user_id: str | None = None
    history: Sequence[HistoryEntry] = ()
    timestamp: int | None = None
    movie_id: str | None = None
    movie_title: str | None = None
    strict: bool = False


Query = RecommendQuery | RatingQuery


@dataclass(slots=True, kw_only=True)
class PredictedRating:
    """A predicted rating.

    Attributes:
        row: Candidate row of the movie.
        stars: The prediction, clipped to the rating scale.
        known_user: Whether the user was in the training data.
        ignored: Movies of the given history that are unknown, each once.
    """

    row: int
    stars: float
    known_user: bool
    ignored: Sequence[str] = ()


Answer = Recommendation | PredictedRating
