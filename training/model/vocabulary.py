"""What the model is built from: sizes, features and statistics of the training rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.model.features import FeatureBags, candidate_content, time_boundaries, user_content
from training.model.histories import Histories
from training.model.starting_point import StartingPoint, starting_point


class Vocabulary(NamedTuple):
    """Sizes, features and statistics of the training rows, fixed before training starts.

    Attributes:
        num_users: Users of the training rows.
        candidates: Content of every movie.
        users: Features of every user.
        boundaries: int64, between time buckets.
        time_range: First and last training time; queries are clipped to it. (0, 0) without times.
        candidate_counts: float32 `[num_candidates]`, training ratings of each movie.
        mean_rating, rating_spread: Mean and standard deviation of the training ratings, in stars; 0 and 1
            where no row is rated.
        rating_scale: Smallest and largest stars; None where no row is rated.
        start: What training begins with; a trained model has the factors, and the vocabulary beside it not.
    """

    num_users: int
    candidates: FeatureBags
    users: FeatureBags
    boundaries: NDArray[np.int64]
    time_range: tuple[int, int]
    candidate_counts: NDArray[np.float32]
    mean_rating: float
    rating_spread: float
    rating_scale: tuple[float, float] | None
    start: StartingPoint

    @property
    def num_candidates(self) -> int:
        """Number of movies that can be recommended."""
        return len(self.candidates.rows)


def build_vocabulary(table: RatingsTable, histories: Histories, config: TrainingConfig) -> Vocabulary:
    """Build the vocabulary of training rows and of their histories."""
    stars = table.stars[table.is_rated]
    spread = float(stars.std(dtype=np.float64)) if len(stars) else 0.0
    spread = spread if spread > 0 else 1.0
    return Vocabulary(
        num_users=len(histories),
        candidates=candidate_content(table.movies, config.max_title_words),
        users=user_content(table.user_features, histories.table_rows),
        boundaries=time_boundaries(table.timestamps, max(1, config.time_buckets if table.has_times else 1)),
        time_range=table.time_range or (0, 0),
        candidate_counts=table.movie_counts.astype(np.float32),
        mean_rating=float(stars.mean(dtype=np.float64)) if len(stars) else 0.0,
        rating_spread=spread,
        rating_scale=table.rating_scale,
        start=starting_point(table, histories, config, spread),
    )
