"""Choose what a model begins with, by how well that alone predicts held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from operator import itemgetter

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut
from training.evaluation.held_out_users import seen_movies
from training.evaluation.query_evaluation import evaluate_retrieval, squared_errors
from training.evaluation.split_evaluation import sample_users
from training.evaluation.validation_quality import quality
from training.model.histories import Histories
from training.model.initial_scores import InitialScores
from training.model.popularity_trend import fit_trend
from training.model.rating_biases import fit_biases

_POPULARITY_SCALES = (1.0, 0.75, 0.5, 0.25, 0.0)
_CLEARLY_BETTER = 0.01  # in the sum of logs, so 1 % in one measure
_WIDER = 128  # columns of the embeddings
_WORTH_ITS_TIME = 0.05  # training and service take half as long again
_CLEARLY_LESS = 0.003  # of the RMSE
_LOG_FACTOR_SCALES = 0.0, 8.0
_MOVIE_REGULARIZATIONS = (2.0, 5.0, 10.0, 25.0)
_USER_REGULARIZATIONS = (1.0, 5.0, 15.0, 50.0)
_MOST_SCORES = 4_000_000  # users x candidates, for each of some fifty evaluations
_LEAST_USERS = 100
_MOST_RATINGS = 3_000_000


@dataclass(frozen=True)
class StartingChoice:
    """Values of `TrainingConfig`, see there, that decide what training begins with."""

    use_trend: bool = False
    popularity_scale: float = 1.0
    factor_scale: float = 16.0
    normalized_factors: bool = False
    embedding_dimension: int = 64
    movie_bias_regularization: float = 10.0
    user_bias_regularization: float = 5.0

    def apply(self, config: TrainingConfig) -> TrainingConfig:
        """Set what was chosen where `config` has the default; what was asked for stays."""
        default = TrainingConfig()
        names = [field.name for field in fields(self)]
        asked = {name for name in names if getattr(config, name) != getattr(default, name)}
        return replace(config, **{name: getattr(self, name) for name in names if name not in asked})


def choose_starts(
    held_out: HeldOut, config: TrainingConfig, *, most_ratings: int = _MOST_RATINGS
) -> list[StartingChoice]:
    """Choose from held-out rows, without any training step.

    - The trend: by the likelihood of the held-out rows under popularity alone.
    - How much popularity counts beside the factors: by `quality` of both for users with a history; for each
      share the factors' scale is the one under which the held-out rows are likeliest.
    - Whether the factors are normalized, and if so, whether there are more of them: by the same.
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
    is_large = len(held_out.train) > most_ratings
    held_out = _of_some_users(held_out, most_ratings)
    chosen = StartingChoice(use_trend=config.use_trend or _follows_time(held_out))
    if held_out.train.rating_scale is not None:
        chosen = _choose_regularization(held_out, chosen)
    if config.layers or not config.use_history or not config.factor_scale:
        return [chosen]
    starts = _choose_scales(held_out, replace(config, use_trend=chosen.use_trend), chosen)
    return starts[-1:] if is_large else starts


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


def _choose_scales(held_out: HeldOut, config: TrainingConfig, chosen: StartingChoice) -> list[StartingChoice]:
    histories = Histories.from_table(held_out.train)
    known = histories.positions(held_out.test.num_users)[held_out.test.user_rows] >= 0
    test = held_out.test.take(np.flatnonzero(known))
    test = sample_users(test, max(_LEAST_USERS, _MOST_SCORES // histories.num_candidates))
    if not len(test):
        return [chosen]

    def score_scales(choice: StartingChoice) -> list[tuple[float, StartingChoice]]:
        initial = InitialScores(held_out.train, histories, choice.apply(config))
        likelihood = _Likelihood(initial, histories, test)
        found = []
        for share in _POPULARITY_SCALES:
            scale = likelihood.best_factor_scale(share)
            score = partial(initial.score, popularity_scale=share, factor_scale=scale)
            measured = quality(evaluate_retrieval(score, histories, test).measures())
            found.append((measured, replace(choice, popularity_scale=share, factor_scale=scale)))
        return found

    best_of = partial(max, key=itemgetter(0))
    taken, normalized = (score_scales(replace(chosen, normalized_factors=kind)) for kind in (False, True))
    if best_of(normalized)[0] - best_of(taken)[0] > _CLEARLY_BETTER:
        taken = normalized
        wider = replace(chosen, normalized_factors=True, embedding_dimension=_WIDER)
        if wider.apply(config).embedding_dimension == _WIDER < min(len(histories), histories.num_candidates):
            of_wider = score_scales(wider)
            if best_of(of_wider)[0] - best_of(taken)[0] > _WORTH_ITS_TIME:
                taken = of_wider
    in_full, best = taken[0], best_of(taken)
    return [in_full[1], best[1]] if best[0] - in_full[0] > _CLEARLY_BETTER else [in_full[1]]


class _Likelihood:
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
