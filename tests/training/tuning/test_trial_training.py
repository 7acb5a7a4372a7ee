from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, table_of, two_clusters

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import ConfigurationError, NothingHeldOut, TrainingDiverged
from training.evaluation import validated_fit
from training.evaluation.training_length import choose_training_length
from training.evaluation.validation_quality import VALIDATION_MEASURES
from training.tuning.trial_training import TrialTraining

TINY = replace(SMALL_CONFIG, epochs=0, embedding_dimension=4, rating_dimension=2, batch_size=64)


@pytest.fixture(scope="module")
def some() -> RatingsTable:
    table = two_clusters(per_user=8)
    return table.take(np.flatnonzero(table.user_rows < 30))


def never(*_: Any) -> bool:
    return False


@pytest.mark.usefixtures("eagerly")
def test_a_trial_of_the_defaults_finds_what_the_choice_of_the_training_length_finds(
    some: RatingsTable,
) -> None:
    length = choose_training_length(some, TINY, "temporal")
    training = TrialTraining(some, "temporal", TINY, VALIDATION_MEASURES)
    seen: list[float] = []

    def watch(_: int, found: float) -> bool:
        seen.append(found)
        return False

    outcome = training.measure(training.defaults(), watch)
    assert outcome.ending == "complete"
    assert outcome.share == length.share
    best = length.validation["epoch"].index(length.share * training.most_epochs)
    assert outcome.figures == {
        name: pytest.approx(values[best])
        for name, values in length.validation.items()
        if name in VALIDATION_MEASURES
    }
    assert outcome.rating_share == length.validation["rating_share"][best]
    assert outcome.quality is not None
    assert max(seen) - 0.005 <= outcome.quality <= max(seen)
    assert len(seen) == len(length.validation["epoch"])
    # As many epochs of all training rows, of which there are more, as the share of those that they allow.
    assert outcome.epochs == length.apply(TINY, some).epochs


class FakeFit:
    """Stands for `fit_model`: hit rates that are given, a validation in each epoch."""

    def __init__(self, *hit_rates: float) -> None:
        self.hit_rates, self.trained_with = hit_rates, list[TrainingConfig]()

    def __call__(
        self,
        _table: RatingsTable,
        config: TrainingConfig,
        _on_epoch: Any,
        _validate: Any,
        *,
        validated_every: int,
        stop: Callable[[dict[str, float]], bool],
    ) -> Any:
        self.trained_with.append(config)
        taken = 0
        for value in self.hit_rates:
            taken += 1
            if stop({"hit_rate_at_100": value, "ndcg_at_10": 0.5, "retrieval_share": 1.0}):
                break
        validation = {
            "epoch": [validated_every * (at + 1) for at in range(taken)],
            "hit_rate_at_100": list(self.hit_rates[:taken]),
            "ndcg_at_10": [0.5] * taken,
            "retrieval_share": [1.0] * taken,
        }
        return type("Trained", (), {"validation": validation})


def test_values_are_trained_with_and_the_rest_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch, some: RatingsTable
) -> None:
    fit = FakeFit(0.5)
    monkeypatch.setattr(validated_fit, "fit_model", fit)
    training = TrialTraining(some, "temporal", TINY, VALIDATION_MEASURES)
    training.measure({"weight_decay": 7.5, "embedding_dimension": 32}, never)
    [config] = fit.trained_with
    assert (config.weight_decay, config.embedding_dimension) == (7.5, 32)
    assert config == replace(training.config, weight_decay=7.5, embedding_dimension=32, epochs=config.epochs)
    assert config.epochs == training.most_epochs > 0


def test_a_trial_that_is_given_up_says_so_and_has_its_best_figures(
    monkeypatch: pytest.MonkeyPatch, some: RatingsTable
) -> None:
    monkeypatch.setattr(validated_fit, "fit_model", FakeFit(0.4, 0.3, 0.9))
    training = TrialTraining(some, "temporal", TINY, ["hit_rate_at_100"])
    outcome = training.measure({}, lambda step, _: step == 2)
    assert outcome.ending == "stopped"
    assert outcome.figures == {"hit_rate_at_100": 0.4, "ndcg_at_10": 0.5}
    assert outcome.quality == pytest.approx(np.log(0.4))


def test_a_trial_that_diverges_is_an_outcome(monkeypatch: pytest.MonkeyPatch, some: RatingsTable) -> None:
    def diverge(*_: Any, **__: Any) -> None:
        raise TrainingDiverged("loss became nan")

    monkeypatch.setattr(validated_fit, "fit_model", diverge)
    outcome = TrialTraining(some, "temporal", TINY, VALIDATION_MEASURES).measure({}, never)
    assert (outcome.ending, outcome.quality) == ("diverged", None)


def test_ratings_that_do_not_exist_cannot_be_the_goal() -> None:
    table = two_clusters(per_user=6)
    watched = replace(table, stars=np.full(len(table), np.nan, np.float32))
    with pytest.raises(ConfigurationError, match="--objective rmse: small has watches without ratings"):
        TrialTraining(watched, "temporal", TINY, ["rmse"])
    assert TrialTraining(watched, "temporal", TINY, VALIDATION_MEASURES).searched


def test_too_few_training_rows_are_named() -> None:
    few = table_of([("1", "a", 3.0, 1), ("1", "b", 4.0, 2)])
    with pytest.raises(NothingHeldOut, match="small: too few ratings to search with: of 2 training ratings"):
        TrialTraining(few, "temporal", TINY, VALIDATION_MEASURES)
