"""Measure the baselines that need numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training.data.table import RatingsTable
from training.evaluation.baselines.biases import Biases
from training.evaluation.baselines.ease import EASE_MAX_CANDIDATES, Ease
from training.evaluation.baselines.popularity import RECENT_DAYS, Popularity, RecentPopularity
from training.evaluation.held_out import HeldOut
from training.evaluation.model_answers import Score, popular_for_cold_start
from training.evaluation.query_evaluation import evaluate_retrieval, squared_errors
from training.evaluation.recommended_lists import RecommendedLists
from training.evaluation.user_sums import UserSums
from training.model.histories import Histories


@dataclass(frozen=True, eq=False)
class Baseline:
    """A baseline's sums by user, and of one for retrieval what it recommends, see `RecommendedLists`."""

    sums: UserSums
    lists: dict[str, float] = field(default_factory=dict)


def evaluate_baselines(held_out: HeldOut) -> dict[str, Baseline | None]:
    """Measure popularity, with times of the last days too, EASE and biases.

    Users without training rows get the popular list from EASE, as from the model. EASE is None where the
    rated movies are too many for it.
    """
    train, test = held_out.train, held_out.test
    histories = Histories.from_table(train)
    scores: dict[str, Score] = {"popularity": Popularity(histories).score}
    if train.has_times:
        for days in RECENT_DAYS:
            scores[f"popularity_{days}_days"] = RecentPopularity(train, days).score
    found: dict[str, Baseline | None] = {
        name: measure_scores(score, histories, test) for name, score in scores.items()
    }
    found["ease"] = None
    if np.count_nonzero(histories.movie_counts) <= EASE_MAX_CANDIDATES:
        ease = popular_for_cold_start(Ease(histories).score, histories)
        found["ease"] = measure_scores(ease, histories, test)
    if train.is_rated.any():
        found["biases"] = Baseline(squared_errors(Biases(train).predict(test), test))
    return found


def measure_scores(score: Score, histories: Histories, test: RatingsTable) -> Baseline:
    """Measure what scores candidates, and what it recommends."""
    lists = RecommendedLists(histories, test.movies)
    sums = evaluate_retrieval(score, histories, test, lists)
    return Baseline(sums, lists.result())
