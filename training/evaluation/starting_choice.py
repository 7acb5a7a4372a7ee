"""Choose what a model begins with, by how well that alone predicts held-out rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.factor_choice import FactorChoice, choose_factors
from training.evaluation.held_out import HeldOut
from training.evaluation.query_evaluation import squared_errors
from training.model.popularity_trend import fit_trend
from training.model.rating_biases import fit_biases

_CLEARLY_LESS = 0.003  # of the RMSE
_MOVIE_REGULARIZATIONS = (2.0, 5.0, 10.0, 25.0)
_USER_REGULARIZATIONS = (1.0, 5.0, 15.0, 50.0)
_MOST_RATINGS = 3_000_000


@dataclass(frozen=True)
class StartingChoice(FactorChoice):
    """Values of `TrainingConfig`, see there, that decide what training begins with."""

    use_trend: bool = False
    movie_bias_regularization: float = 10.0
    user_bias_regularization: float = 5.0

    def apply(self, config: TrainingConfig) -> TrainingConfig:
        """Set what was chosen where `config` has the default; what was asked for stays."""
        return replace(config, **asdict(self) | self.asked(config))


def choose_starts(
    held_out: HeldOut, config: TrainingConfig, *, most_ratings: int = _MOST_RATINGS
) -> list[StartingChoice]:
    """Choose from held-out rows, without any training step.

    - The trend: by the likelihood of the held-out rows under popularity alone.
    - Factors, and how much popularity counts beside them: see `choose_factors`.
    - Regularization of rating biases: by the biases' RMSE.

    Of many ratings those of a part of the users are enough.

    Args:
        held_out: Rows to begin from, and rows to validate on.
        config: Adapted to the former.
        most_ratings: Above so many rows to begin from, there are many ratings.

    Returns:
        A choice in which popularity counts in full, and one in which it counts less if that predicts clearly
        better: training often makes up for it, so both are worth a trial; of many ratings, of which a trial
        takes minutes, that one alone.
    """
    is_large = has_many_ratings(held_out.train, most_ratings)
    held_out = _of_some_users(held_out, most_ratings)
    chosen = StartingChoice(use_trend=config.use_trend or _follows_time(held_out))
    if held_out.train.rating_scale is not None:
        chosen = _choose_regularization(held_out, chosen)
    if config.layers or not config.use_history or not config.factor_scale:
        return [chosen]
    found = choose_factors(held_out, chosen.apply(config), is_large=is_large)
    starts = [replace(chosen, **asdict(choice)) for choice in found]
    return starts[-1:] if is_large else starts


def has_many_ratings(train: RatingsTable, most_ratings: int = _MOST_RATINGS) -> bool:
    """Whether there are so many ratings that a trial takes minutes."""
    return len(train) > most_ratings


def _of_some_users(held_out: HeldOut, most_ratings: int) -> HeldOut:
    """Take the rows of so many users, drawn at random, that there are about `most_ratings` at most."""
    train, test = held_out.train, held_out.test
    if len(train) <= most_ratings:
        return held_out
    is_drawn = np.random.default_rng(0).random(train.num_users) < most_ratings / len(train)
    of_drawn = train.take(np.flatnonzero(is_drawn[train.user_rows]))
    tested = test.take(np.flatnonzero(is_drawn[test.user_rows]))
    return held_out if not len(tested) else replace(held_out, train=of_drawn, test=tested)


def _follows_time(held_out: HeldOut) -> bool:
    """Whether the trend after the last training row predicts held-out rows better than counts do.

    By more than chance: the mean gain in log likelihood is above two standard errors of it.
    """
    train, movies = held_out.train, held_out.test.movie_rows
    if not train.has_times:
        return False
    counts = train.movie_counts + 1.0
    constant = np.log(counts / counts.sum())
    gains = fit_trend(train).now[movies] - constant[movies]
    return bool(gains.mean() > 2 * gains.std() / np.sqrt(len(gains)))


def _choose_regularization(held_out: HeldOut, chosen: StartingChoice) -> StartingChoice:
    train, test = held_out.train, held_out.test
    if not test.is_rated.any() or not train.is_rated.any():
        return chosen
    found = {}
    for of_movies in _MOVIE_REGULARIZATIONS:
        for of_users in _USER_REGULARIZATIONS:
            biases = fit_biases(train, movie_regularization=of_movies, user_regularization=of_users)
            errors = squared_errors(biases.predict(test, train.rating_scale), test)
            found[of_movies, of_users] = errors.measures()["rmse"]
    default = chosen.movie_bias_regularization, chosen.user_bias_regularization
    best = min(found, key=found.__getitem__)
    if found[best] > (1 - _CLEARLY_LESS) * found[default]:
        return chosen  # training learns the rest
    return replace(chosen, movie_bias_regularization=best[0], user_bias_regularization=best[1])
