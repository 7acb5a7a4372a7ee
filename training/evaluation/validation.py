"""Measure a model on validation rows while it is being trained, and how much of what it learned to keep."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.evaluation.model_answers import ratings_of, scores_of
from training.evaluation.query_evaluation import evaluate_retrieval, predict_rows, squared_errors
from training.evaluation.validation_quality import VALIDATION_MEASURES, quality
from training.model.trained_model import TrainedModel

_CLEARLY_LESS = 0.003  # of the RMSE
_CLEARLY_BETTER = 0.01  # in the sum of logs, so 1 % in one measure
_NEARLY_AS_GOOD = 0.1
_SHARES = 0.75, 0.5, 0.25  # and 0


class Validation:
    """Measures a model as if the best shares of what it learned were kept, see `TwoTowerModel.keeping`.

    With few ratings what training began with can be better than what it ends with, and what lies between
    better than both. Shares of the towers are tried where what training began with is nearly as good.
    """

    def __init__(self, test: RatingsTable, measures: Collection[str] = VALIDATION_MEASURES) -> None:
        """Prepare to measure on validation rows.

        Args:
            test: The rows.
            measures: Which of the measures count for the towers' share, see `quality`.
        """
        self._test = test
        self._of_retrieval = [name for name in measures if name != "rmse"]
        self._of_start: dict[str, float] = {}
        self._of_biases: NDArray[np.float64] | None = None

    def __call__(self, trained: TrainedModel) -> dict[str, float]:
        """Measure hit rate@100, NDCG@10 and RMSE, and the shares with which they were measured, by name."""
        share, found = self._best_retrieval(trained)
        found = found | {"retrieval_share": share}
        if trained.vocabulary.rating_scale is None or not self._test.is_rated.any():
            return found
        with trained.model.keeping(retrieval=share):
            return found | self._best_rating(trained)

    def _best_retrieval(self, trained: TrainedModel) -> tuple[float, dict[str, float]]:
        of_all = self._retrieve(trained, 1.0)
        if trained.config.layers or not self._of_retrieval:
            return trained.config.retrieval_share, of_all
        # The same after every epoch.
        self._of_start = self._of_start or self._retrieve(trained, 0.0)
        if self._quality(self._of_start) <= self._quality(of_all) - _NEARLY_AS_GOOD:
            return 1.0, of_all
        found = {share: self._retrieve(trained, share) for share in _SHARES} | {0.0: self._of_start}
        share = max(found, key=lambda one: self._quality(found[one]))
        if self._quality(found[share]) < self._quality(of_all) + _CLEARLY_BETTER:
            return 1.0, of_all
        return share, found[share]

    def _retrieve(self, trained: TrainedModel, share: float) -> dict[str, float]:
        with trained.model.keeping(retrieval=share):
            # A copy, for a `TrainedModel` keeps the embeddings of candidates.
            measured = evaluate_retrieval(scores_of(replace(trained)), trained.histories, self._test)
        measures = measured.measures()
        return {name: measures[name] for name in VALIDATION_MEASURES if name in measures}

    def _quality(self, figures: dict[str, float]) -> float:
        return quality(figures, self._of_retrieval)

    def _best_rating(self, trained: TrainedModel) -> dict[str, float]:
        if self._of_biases is None:
            with trained.model.keeping(rating=0.0):
                self._of_biases = self._predict(trained)
        learned = self._predict(trained) - self._of_biases
        rated = self._test.is_rated
        missing = (self._test.stars - self._of_biases)[rated]
        # The share of least squares, for predictions are about linear in it.
        share = np.dot(missing, learned[rated]) / max(1e-9, np.dot(learned[rated], learned[rated]))
        of_share = {
            share: squared_errors(self._of_biases + share * learned, self._test).measures()["rmse"]
            for share in (1.0, round(float(np.clip(share, 0, 1)), 2))
        }
        share = min(of_share, key=of_share.__getitem__)
        if of_share[share] > (1 - _CLEARLY_LESS) * of_share[1.0]:
            share = 1.0  # more rows, which later trainings have, are overfitted less
        return {"rmse": of_share[share], "rating_share": share}

    def _predict(self, trained: TrainedModel) -> NDArray[np.float64]:
        return predict_rows(ratings_of(replace(trained)), trained.histories, self._test)
