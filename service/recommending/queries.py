"""What is asked of a recommender and what it answers: plain values and numpy arrays, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from service.bundle.golden_requests import HistoryEntry
from service.telemetry.observer import Source

if TYPE_CHECKING:  # the schemas need this module, and a client of the service the schemas, but not numpy
    import numpy as np
    from numpy.typing import NDArray

RankBy = Literal["retrieval", "rating", "blend"]

DEEPEST = 1_000
"""The most that `offset + k` may be, and the size of the pool that is put into another order than that of
retrieval: one size for all pages, so that no order depends on which is asked for."""

MOST_NAMED = 3
"""Movies of the history that explain one item."""


@dataclass(frozen=True, kw_only=True)
class MovieFilter:
    """Which movies may be returned: those that meet every condition given.

    Attributes:
        genres_any: At least one of these; no condition where empty. Genres compare without regard to case,
            and one that no movie has is not an error.
        genres_all: Every one of these.
        genres_none: Not one of these.
        year_min: Released in this year or later; a movie without a year does not pass.
        year_max: Released in this year or earlier, likewise.
        movie_ids: One of these, unknown ones ignored; None is no condition, empty lets nothing pass.
    """

    genres_any: Sequence[str] = ()
    genres_all: Sequence[str] = ()
    genres_none: Sequence[str] = ()
    year_min: int | None = None
    year_max: int | None = None
    movie_ids: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class RecommendQuery:
    """A request for the best candidates.

    Attributes:
        user_id: External id; None for a person without an account.
        history: Movies seen, oldest first, besides those the bundle knows of. Of a movie named twice the
            last entry counts.
        timestamp: Unix seconds; None for a time-agnostic query.
        k: Most items wanted.
        offset: Items to skip first; `offset + k` is at most `DEEPEST`.
        exclude_seen: Whether to leave out every movie of the stored and the given history.
        exclude: Ids of movies never to return; unknown ones are ignored.
        filter: Which movies may be returned; None is all.
        rank_by: What orders the list, see `service.recommending.ranking`.
        diversity: 0 to 1, the weight of being unlike what is already in the list.
        explain: Whether to say which movies of the history each item rests on.
    """

    user_id: str | None = None
    history: Sequence[HistoryEntry] = ()
    timestamp: int | None = None
    k: int = 10
    offset: int = 0
    exclude_seen: bool = True
    exclude: Sequence[str] = ()
    filter: MovieFilter | None = None
    rank_by: RankBy = "retrieval"
    diversity: float = 0.0
    explain: bool = False

    @property
    def depth(self) -> int:
        """How far down the list the page ends."""
        return self.offset + self.k

    @property
    def is_reordered(self) -> bool:
        """Whether the list has another order than the candidate index gives."""
        return self.rank_by != "retrieval" or self.diversity > 0


@dataclass(frozen=True)
class Contribution:
    """What one movie of the history adds to the score of an item."""

    row: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One page of the best candidates, best first.

    Attributes:
        source: `personalized` for a known user, `history` for a stranger who gave one, else `popular`.
        offset: How many better ones come before the page.
        rows: int32 `[n]`, candidate rows, n at most k.
        scores: float32 `[n]`: similarity to the query or, where popular, the share of the bundle's users who
            rated the movie.
        rank_scores: float64 `[n]`, never rising: what orders the list.
        predicted_ratings: float64 `[n]`, stars within the bundle's scale.
        because: By item up to three movies of the history, the one that contributes most first; None where
            nobody asked.
    """

    source: Source
    offset: int
    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    rank_scores: NDArray[np.float64]
    predicted_ratings: NDArray[np.float64]
    because: list[list[Contribution]] | None = None


@dataclass(frozen=True, kw_only=True)
class RatingQuery:
    """A request for the stars that a person would give one movie, named by its id or its title."""

    user_id: str | None = None
    history: Sequence[HistoryEntry] = ()
    timestamp: int | None = None
    movie_id: str | None = None
    movie_title: str | None = None


Query = RecommendQuery | RatingQuery


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


Answer = Recommendation | PredictedRating
