"""What a model begins with, in closed form: popularity, factors of items, rating biases."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.model.histories import Histories
from training.model.item_factors import WatchedSpectrum
from training.model.popularity_trend import PopularityTrend, fit_trend
from training.model.rating_biases import fit_biases

_OF_PREDICTED = 0.1
"""Added factors of predicted movies are so much smaller, those of read ones so much larger: distances between
movies, such as `/similar` has, are then those of what was learned."""


class StartingPoint(NamedTuple):
    """Values that training improves on, so that with few ratings the model is no worse than they are.

    Attributes:
        popularity: float32 `[num_candidates]`, log of each movie's share of the ratings, up to a constant.
        trend: How popularity changes; None: it is constant.
        read_factors, predicted_factors: float32 `[num_candidates, embedding_dimension]`, see
            `WatchedSpectrum`.
        added_read, added_predicted: float32 `[num_candidates, added_factors]`, the same for columns that
            count from the end of training on.
        movie_biases: float32 `[num_candidates]`, how far above the mean each is rated, in deviations.
    """

    popularity: NDArray[np.float32]
    trend: PopularityTrend | None
    read_factors: NDArray[np.float32]
    predicted_factors: NDArray[np.float32]
    added_read: NDArray[np.float32]
    added_predicted: NDArray[np.float32]
    movie_biases: NDArray[np.float32]

    def without_factors(self) -> StartingPoint:
        """The same with factors of 0 that take no memory, once a model has the others."""
        none = np.broadcast_to(np.float32(0), self.read_factors.shape)
        added = np.broadcast_to(np.float32(0), self.added_read.shape)
        return self._replace(
            read_factors=none, predicted_factors=none, added_read=added, added_predicted=added
        )


def starting_point(
    table: RatingsTable, histories: Histories, config: TrainingConfig, rating_spread: float
) -> StartingPoint:
    """Compute what a model of these training rows begins with."""
    popularity, trend = initial_popularity(table, config)
    read = predicted = np.zeros((table.num_movies, config.embedding_dimension), np.float32)
    if config.factor_scale:
        read, predicted = item_factors(histories, config)
    added_read = added_predicted = np.zeros((table.num_movies, 0), np.float32)
    if config.added_factors and config.use_history:
        added_read, added_predicted = item_factors(histories, config, config.added_factors)
    biases = fit_biases(
        table,
        movie_regularization=config.movie_bias_regularization,
        user_regularization=config.user_bias_regularization,
    )
    scale, added_scale = np.sqrt(np.array([config.factor_scale, config.added_scale], np.float32))
    return StartingPoint(
        popularity=popularity,
        trend=trend,
        read_factors=scale * read,
        predicted_factors=scale * predicted,
        added_read=added_scale / _OF_PREDICTED * added_read,
        added_predicted=added_scale * _OF_PREDICTED * added_predicted,
        movie_biases=(biases.movies / rating_spread).astype(np.float32),
    )


def item_factors(
    histories: Histories, config: TrainingConfig, columns: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Compute factors of movies that are read and of movies that are predicted, of scale 1.

    Args:
        histories: Who watched what.
        config: How.
        columns: So many; None: as wide as embeddings.
    """
    spectrum = WatchedSpectrum.of(
        histories,
        config.embedding_dimension if columns is None else columns,
        history_normalization=config.history_normalization,
        movie_normalization=config.movie_normalization,
        rating_emphasis=config.rating_emphasis,
    )
    return spectrum.factors(config.factor_regularization)


def initial_popularity(
    table: RatingsTable, config: TrainingConfig
) -> tuple[NDArray[np.float32], PopularityTrend | None]:
    """Compute the log of each movie's share of the ratings about its mean, and how it changes, if it does."""
    trend = fit_trend(table) if config.use_trend and table.has_times else None
    popularity = log_counts(table) if trend is None else trend.now
    return popularity - popularity.mean(), trend


def log_counts(table: RatingsTable) -> NDArray[np.float32]:
    """Log of each movie's ratings and one more, float32 `[num_movies]`."""
    return np.log1p(table.movie_counts).astype(np.float32)
