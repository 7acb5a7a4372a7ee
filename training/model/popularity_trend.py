"""What is popular at a time: a mixture of popularities that forget at different speeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable

HALF_LIVES_DAYS = (1.0, 3.0, 10.0, 30.0, 100.0, np.inf)
_LAGS = (0.0, 0.05, 0.1, 0.15, 0.2)
"""The mixture predicts ratings this share of all periods later, for a model is used for a while."""

_MOST_PERIODS, _ROWS_PER_PERIOD = 128, 50
_MOST_SHARES = 50_000_000  # periods x half-lives x candidates, 200 MB
_MOST_ROWS = 500_000
_ROUNDS = 100
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, eq=False)
class PopularityTrend:
    """Popularity by period.

    Attributes:
        boundaries: int64 `[P - 1]`, Unix seconds, ascending: where periods begin.
        log_shares: float32 `[P + 1, num_candidates]`: row p is the log of each movie's share of the ratings
            to come, by what came before period p; the last row is that after all ratings.
    """

    boundaries: NDArray[np.int64]
    log_shares: NDArray[np.float32]

    def periods(self, timestamps: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return the rows of `log_shares` that hold at these times, int32 `[n]`."""
        return np.searchsorted(self.boundaries, timestamps, side="right").astype(np.int32)

    @property
    def now(self) -> NDArray[np.float32]:
        """The trend after all ratings, float32 `[num_candidates]`."""
        latest: NDArray[np.float32] = self.log_shares[-1]
        return latest


def fit_trend(table: RatingsTable) -> PopularityTrend:
    """Fit the weights of popularities with different half-lives, and of the uniform one.

    Ratings lie in periods of equally many; in period p each movie has its count before p, halved every h
    days, as share of all. Weights are those under which ratings some periods later are likeliest, by
    expectation maximization (Dempster et al. 1977, as for language models: Jelinek and Mercer 1980).

    Args:
        table: Ratings with real times.
    """
    candidates, half_lives = table.num_movies, len(HALF_LIVES_DAYS)
    most = min(_MOST_PERIODS, _MOST_SHARES // (candidates * half_lives), len(table) // _ROWS_PER_PERIOD)
    inner = np.linspace(0, 1, max(2, most) + 1)[1:-1]
    boundaries = np.unique(np.quantile(table.timestamps, inner, method="nearest").astype(np.int64))
    boundaries = boundaries[boundaries > table.timestamps.min()]  # else the first period would be empty
    period = np.searchsorted(boundaries, table.timestamps, side="right")
    shares = _shares(table, boundaries, period)
    weights = _fit_mixture(_likelihoods(table, period, shares))
    mixed = np.einsum("pkc,k->pc", shares, weights[:-1]) + weights[-1] / np.float32(candidates)
    return PopularityTrend(boundaries, np.log(mixed))


def _shares(
    table: RatingsTable, boundaries: NDArray[np.int64], period: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Shares before each period and after the last, float32 `[P + 1, half-lives, candidates]`."""
    candidates, periods = table.num_movies, len(boundaries) + 1
    edges = np.concatenate([[table.timestamps.min()], boundaries, [table.timestamps.max()]])
    days = np.diff(edges) / _SECONDS_PER_DAY
    order = np.argsort(period, kind="stable")
    movies = np.split(table.movie_rows[order], np.cumsum(np.bincount(period, minlength=periods))[:-1])
    kept = 0.5 ** (days[:, None] / np.array(HALF_LIVES_DAYS))
    shares = np.empty((periods + 1, len(HALF_LIVES_DAYS), candidates), np.float32)
    shares[0] = 1 / candidates
    counts = np.zeros((len(HALF_LIVES_DAYS), candidates))
    for at in range(periods):
        counts = counts * kept[at][:, None] + np.bincount(movies[at], minlength=candidates)
        shares[at + 1] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _likelihoods(
    table: RatingsTable, period: NDArray[np.int64], shares: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Probability of ratings, by half-life and uniformly, as known `_LAGS` before: `[n, half-lives + 1]`."""
    rows = np.arange(len(table))
    if len(rows) > _MOST_ROWS:
        rows = np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False)
    found = []
    for lag in _LAGS:
        known = period[rows] - int(lag * (len(shares) - 1))
        later = known > 0
        found.append(shares[known[later], :, table.movie_rows[rows[later]]])
    of_half_lives = np.concatenate(found).astype(np.float64)
    uniform = np.full((len(of_half_lives), 1), 1 / table.num_movies)
    return np.concatenate([of_half_lives, uniform], axis=1)


def _fit_mixture(likelihoods: NDArray[np.float64]) -> NDArray[np.float32]:
    """Fit weights of the columns, as if each had had one more rating: none is 0, nor any movie's share."""
    num_rows, num_columns = likelihoods.shape
    weights = np.full(num_columns, 1 / num_columns)
    for _ in range(_ROUNDS if num_rows else 0):
        shares = weights * likelihoods
        expected = (shares / shares.sum(axis=1, keepdims=True)).sum(axis=0)
        weights = (expected + 1) / (num_rows + num_columns)
    return weights.astype(np.float32)
