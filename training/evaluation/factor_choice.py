"""Choose item factors to begin with, by how well they and popularity alone predict held-out rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut
from training.evaluation.held_out_likelihood import HeldOutLikelihood
from training.evaluation.held_out_users import number_of_users
from training.evaluation.query_evaluation import evaluate_retrieval
from training.evaluation.split_evaluation import sample_users
from training.evaluation.user_sums import UserSums
from training.evaluation.validation_quality import is_surely_better, quality
from training.model.histories import Histories
from training.model.initial_scores import InitialScores
from training.model.item_factors import WatchedSpectrum

_POPULARITY_SCALES = (1.0, 0.75, 0.5, 0.25, 0.0)
_SEARCHED_SCALES = (1.0, 0.5, 0.0)  # while factors are looked for
_CLEARLY_BETTER = 0.01  # in the sum of logs, so 1 % in one measure
_WIDER = 128, 256  # columns of the embeddings
_WORTH_ITS_TIME = 0.02 / 64  # a column: 64 more make training and service take half as long again
_MOST_FACTORS = 38_400_000  # movies x columns: of 300,000 movies 128, a dozen copies of 150 MB
_MOST_SCORES = 40_000_000  # users x candidates, for each of some sixty evaluations
_USERS = 100, 2_000
_MOST_SCORES_OF_SCALES = 16_000_000  # likewise; in memory together
_USERS_OF_SCALES = 50, 300  # one number is fitted to the rows of these

_FIRST_NORMALIZATION = 0.25
_REGULARIZATIONS = (1.0, 3.0, 10.0, 30.0)
_MOVIE_NORMALIZATIONS = (0.35, 0.5)
_HISTORY_NORMALIZATIONS = (0.0, 0.5)
_RATING_EMPHASIS = 0.25


@dataclass(frozen=True)
class FactorChoice:
    """Values of `TrainingConfig`, see there, that decide how item factors and popularity are scored."""

    popularity_scale: float = 1.0
    factor_scale: float = 16.0
    history_normalization: float = 0.0
    movie_normalization: float = 0.0
    factor_regularization: float = 1.0
    rating_emphasis: float = 0.0
    embedding_dimension: int = 64

    @classmethod
    def asked(cls, config: TrainingConfig) -> dict[str, Any]:
        """Return what `config` has other than the default, by name."""
        default = TrainingConfig()
        found = {field.name: getattr(config, field.name) for field in fields(cls)}
        return {name: value for name, value in found.items() if value != getattr(default, name)}


def choose_factors(
    held_out: HeldOut, config: TrainingConfig, *, is_large: bool = False
) -> list[FactorChoice]:
    """Choose normalization, regularization, number and scale of factors, and how much popularity counts.

    By `quality` for users with a history; for each share of popularity the factors' scale is the one under
    which the held-out rows are likeliest. Normalized factors are looked for coordinate by coordinate, and
    taken where they are clearly better than EASE's; what `config` sets is not varied.

    Args:
        held_out: Rows to begin from, and rows to validate on.
        config: Adapted to the former.
        is_large: Whether there are so many ratings that more columns, and weights of ratings, take minutes
            and gigabytes; neither is tried.

    Returns:
        A choice in which popularity counts in full, and, if that predicts clearly better, one in which it
        counts less; without a user who has a history the defaults.
    """
    histories = Histories.from_table(held_out.train)
    known = histories.positions(held_out.test.num_users)[held_out.test.user_rows] >= 0
    test = held_out.test.take(np.flatnonzero(known))
    test = sample_users(test, number_of_users(_MOST_SCORES, _USERS, histories.num_candidates))
    if not len(test):
        return [FactorChoice()]
    trials = _Trials(InitialScores(held_out.train, histories, config), histories, test)
    asked = FactorChoice.asked(config)
    taken = FactorChoice(**asked)
    if not asked.keys() & {"history_normalization", "movie_normalization", "factor_regularization"}:
        taken = _choose_normalization(trials, taken)
        if taken.movie_normalization and not is_large:
            if "embedding_dimension" not in asked:
                taken = _choose_width(trials, taken, min(len(histories), histories.num_candidates))
            if "rating_emphasis" not in asked and held_out.train.is_rated.any():
                taken = _choose_emphasis(trials, taken)
    starts = trials.measure(taken, _POPULARITY_SCALES)
    in_full, best = starts[0], max(starts, key=attrgetter("quality"))
    is_better = best.quality - in_full.quality > _CLEARLY_BETTER
    return [in_full.choice, best.choice] if is_better else [in_full.choice]


def _choose_normalization(trials: _Trials, plain: FactorChoice) -> FactorChoice:
    first = replace(
        plain,
        history_normalization=_FIRST_NORMALIZATION,
        movie_normalization=_FIRST_NORMALIZATION,
    )
    best = trials.best_with("factor_regularization", _REGULARIZATIONS, first)
    if trials.quality_of(best) - trials.quality_of(plain) <= _CLEARLY_BETTER:
        return plain
    best = trials.best_with("movie_normalization", _MOVIE_NORMALIZATIONS, best)
    return trials.best_with("history_normalization", _HISTORY_NORMALIZATIONS, best)


def _choose_emphasis(trials: _Trials, plain: FactorChoice) -> FactorChoice:
    emphasized = replace(plain, rating_emphasis=_RATING_EMPHASIS)
    if trials.quality_of(emphasized) - trials.quality_of(plain) <= _CLEARLY_BETTER:
        return plain
    # Of few users that happens by chance.
    return emphasized if is_surely_better(trials.sums_of(emphasized), trials.sums_of(plain)) else plain


def _choose_width(trials: _Trials, taken: FactorChoice, rank: int) -> FactorChoice:
    """Double the columns while that is worth its time, up to the rank of who watched what.

    More columns have a smaller median, which regularization is a multiple of, so it is chosen with them.
    """
    for columns in _WIDER:
        if columns >= rank or columns * trials.num_candidates > _MOST_FACTORS:
            break
        wider = replace(taken, embedding_dimension=columns)
        wider = trials.best_with("factor_regularization", _REGULARIZATIONS, wider)
        worth = _WORTH_ITS_TIME * (columns - taken.embedding_dimension)
        if trials.quality_of(wider) - trials.quality_of(taken) <= worth:
            break
        taken = wider
    return taken


class _Measured(NamedTuple):
    """A choice and how well it predicts held-out rows."""

    quality: float
    choice: FactorChoice
    sums: UserSums


class _Trials:
    """Measures what a model begins with on held-out rows of users with a history; each choice once."""

    def __init__(self, initial: InitialScores, histories: Histories, test: RatingsTable) -> None:
        self._initial, self._histories, self._test = initial, histories, test
        likely = number_of_users(_MOST_SCORES_OF_SCALES, _USERS_OF_SCALES, histories.num_candidates)
        self._likely = sample_users(test, likely)
        self._spectra: dict[tuple[float, float, float], WatchedSpectrum] = {}
        self._measured: dict[FactorChoice, _Measured] = {}
        self.num_candidates = histories.num_candidates

    def measure(self, choice: FactorChoice, shares: Iterable[float]) -> list[_Measured]:
        """Measure a choice with each share of popularity, and a scale for it."""
        self._initial.take_factors(*self._spectrum(choice).factors(choice.factor_regularization))
        likelihood = HeldOutLikelihood(self._initial, self._histories, self._likely)
        return [self._measure(choice, share, likelihood) for share in shares]

    def quality_of(self, choice: FactorChoice) -> float:
        """Quality with the best of some shares of popularity."""
        return self._best(choice).quality

    def sums_of(self, choice: FactorChoice) -> UserSums:
        """Sums by user with the same share of popularity."""
        return self._best(choice).sums

    def best_with(self, name: str, values: Iterable[Any], choice: FactorChoice) -> FactorChoice:
        """The choice of most quality among this one and those that have another value of one field."""
        return max([choice, *(replace(choice, **{name: value}) for value in values)], key=self.quality_of)

    def _best(self, choice: FactorChoice) -> _Measured:
        if choice not in self._measured:
            found = self.measure(choice, _SEARCHED_SCALES)
            self._measured[choice] = max(found, key=attrgetter("quality"))
        return self._measured[choice]

    def _measure(self, choice: FactorChoice, share: float, likelihood: HeldOutLikelihood) -> _Measured:
        scale = likelihood.best_factor_scale(share)
        score = partial(self._initial.score, popularity_scale=share, factor_scale=scale)
        sums = evaluate_retrieval(score, self._histories, self._test)
        begun = replace(choice, popularity_scale=share, factor_scale=scale)
        return _Measured(quality(sums.measures()), begun, sums)

    def _spectrum(self, choice: FactorChoice) -> WatchedSpectrum:
        key = choice.history_normalization, choice.movie_normalization, choice.rating_emphasis
        known = self._spectra.get(key)
        if known is None or known.columns < choice.embedding_dimension:
            known = WatchedSpectrum.of(
                self._histories,
                choice.embedding_dimension,
                history_normalization=key[0],
                movie_normalization=key[1],
                rating_emphasis=key[2],
            )
            self._spectra = {key: known}  # a million movies in several are gigabytes
        return known.leading(choice.embedding_dimension)
