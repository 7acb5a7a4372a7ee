import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import FIRST_TIMESTAMP, SMALL_CONFIG, Rating, table_of, two_clusters

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation import training_length, validated_fit
from training.evaluation.starting_choice import StartingChoice
from training.evaluation.training_length import TrainingLength, choose_training_length
from training.model.adaptation import adapt

DAY = 86_400
ADAPTED = replace(SMALL_CONFIG, epochs=0)


class FakeFit:
    """Stands for `fit_model`: validates as often as that does, with figures that are given."""

    def __init__(self, figures: list[dict[str, float]]) -> None:
        self.figures = figures
        self.validated = 0
        self.trained_on: list[RatingsTable] = []
        self.config: TrainingConfig | None = None

    def __call__(
        self,
        table: RatingsTable,
        config: TrainingConfig,
        _on_epoch: Any,
        _validate: Any,
        *,
        validated_every: int,
        stop: Callable[[dict[str, float]], bool],
    ) -> Any:
        self.trained_on.append(table)
        self.config = config
        validation: dict[str, list[float]] = {"epoch": []}
        for epoch in range(1, config.epochs + 1):
            if epoch % validated_every and epoch != config.epochs:
                continue
            found = self.figures[min(self.validated, len(self.figures) - 1)]
            self.validated += 1
            validation["epoch"].append(epoch)
            for name, value in found.items():
                validation.setdefault(name, []).append(value)
            if stop(found):
                break
        return type("Trained", (), {"validation": validation})


@pytest.fixture(scope="module")
def clusters() -> RatingsTable:
    return two_clusters()


def chosen(
    monkeypatch: pytest.MonkeyPatch, table: RatingsTable, figures: list[dict[str, float]]
) -> tuple[TrainingLength, FakeFit]:
    fit = FakeFit(figures)
    monkeypatch.setattr(validated_fit, "fit_model", fit)
    return choose_training_length(table, ADAPTED, "temporal"), fit


def found(**figures: float) -> dict[str, float]:
    return {"retrieval_share": 1.0, **figures}


def hit_rates(*values: float) -> list[dict[str, float]]:
    return [found(hit_rate_at_100=value, ndcg_at_10=0.2, rmse=0.9) for value in values]


def test_training_ends_after_two_validations_that_are_no_better_and_the_best_epoch_is_taken(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    """Of 24 ratings of a user 19 are trained on: 45 x 19 / 68 = 13 epochs, in about eight validations."""
    found, fit = chosen(monkeypatch, clusters, hit_rates(0.3, 0.5, 0.4, 0.45, 0.9))
    assert fit.config is not None
    assert fit.config.epochs == 13
    assert fit.validated == 4
    assert found.validation["epoch"] == [2, 4, 6, 8]
    assert found.share == pytest.approx(4 / 13)


def test_of_epochs_that_validate_alike_the_last_is_taken(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    """0.499 of 0.5 is two in a thousand less, 0.49 is twenty."""
    found, _ = chosen(monkeypatch, clusters, hit_rates(0.4, 0.5, 0.49, 0.499, 0.9))
    assert found.validation["epoch"] == [2, 4, 6, 8]
    assert found.share == pytest.approx(8 / 13)


def test_while_validation_improves_training_goes_on_to_its_last_epoch(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    found, fit = chosen(monkeypatch, clusters, hit_rates(*np.linspace(0.1, 0.8, 20).tolist()))
    assert found.validation["epoch"] == [2, 4, 6, 8, 10, 12, 13]
    assert found.share == 1
    [table] = fit.trained_on
    assert len(table) < len(clusters)


def test_relative_changes_of_all_three_measures_weigh_alike(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    def figures(hit_rate: float, ndcg: float, rmse: float) -> dict[str, float]:
        return found(hit_rate_at_100=hit_rate, ndcg_at_10=ndcg, rmse=rmse)

    # A tenth more hits and NDCG, a tenth more error: better; then two tenths more error: worse.
    length, _ = chosen(
        monkeypatch, clusters, [figures(0.5, 0.1, 1), figures(0.55, 0.11, 1.1), figures(0.55, 0.11, 1.32)]
    )
    assert length.validation["epoch"][-1] == 8
    assert length.share == pytest.approx(4 / 13)


def test_without_ratings_and_without_a_hit_there_is_a_choice_too(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    length, _ = chosen(monkeypatch, clusters, [found(hit_rate_at_100=0.0, ndcg_at_10=0.0)])
    assert length.share == pytest.approx(2 / 13)


def test_shares_of_what_was_learned_are_those_of_the_best_epoch(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    figures = hit_rates(0.3, 0.5, 0.4, 0.3)
    for at, of_epoch in enumerate(figures):
        of_epoch |= {"retrieval_share": 0.25 * at, "rating_share": 0.5 + 0.1 * at}
    length, _ = chosen(monkeypatch, clusters, figures)
    assert (length.retrieval_share, length.rating_share) == (0.25, 0.6)


@pytest.mark.parametrize(("is_large", "validated"), [(True, [2, 4]), (False, [2, 4, 6, 8])])
def test_of_many_ratings_two_validations_that_keep_nothing_leave_the_rating_task_alone(
    is_large: bool, validated: list[int], monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    """Hits improve up to the second validation, RMSE alone up to the fourth."""
    monkeypatch.setattr(training_length, "has_many_ratings", lambda _: is_large)
    both = [figures | {"retrieval_share": 0.0} for figures in hit_rates(0.3, 0.4, 0.3, 0.3)]
    alone = [found(hit_rate_at_100=0.4, retrieval_share=0.0, rmse=rmse) for rmse in (0.9, 0.8, 0.7, 0.6, 0.7)]
    length, fit = chosen(monkeypatch, clusters, both[: len(validated)] + alone)
    assert fit.config is not None
    assert length.retrieval_share == 0
    assert (fit.config.retrieval_weight, fit.config.retrieval_share) == ((0, 0) if is_large else (1, 1))
    assert fit.validated == (2 + 6 if is_large else 4)
    assert length.share == pytest.approx((8 if is_large else 4) / 13)


def test_of_many_ratings_towers_of_which_something_is_kept_are_trained_on(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    monkeypatch.setattr(training_length, "has_many_ratings", lambda _: True)
    figures = hit_rates(0.3, 0.4, 0.5, 0.6, 0.5, 0.5)
    figures[0]["retrieval_share"] = 0.0
    length, fit = chosen(monkeypatch, clusters, figures)
    assert (fit.validated, length.retrieval_share) == (6, 1)
    assert length.share == pytest.approx(8 / 13)


def test_what_is_not_kept_is_not_trained(clusters: RatingsTable) -> None:
    length = TrainingLength(share=0.5, retrieval_share=0.0)
    rated = length.apply(TrainingConfig(), clusters)
    assert (rated.retrieval_weight, rated.rating_weight) == (0.0, TrainingConfig().rating_weight)
    assert rated.epochs > 1
    watched = length.apply(
        TrainingConfig(), replace(clusters, stars=np.full(len(clusters), np.nan, np.float32))
    )
    assert watched.epochs == 1


def test_the_share_is_of_the_epochs_that_another_table_allows(clusters: RatingsTable) -> None:
    half = TrainingLength(share=0.5)
    assert adapt(ADAPTED, clusters).epochs == 16  # 24 ratings of a user
    assert half.apply(ADAPTED, clusters).epochs == 8
    few = clusters.take(np.flatnonzero(np.arange(len(clusters)) % 4 == 0))
    assert half.apply(ADAPTED, few).epochs == 3
    assert TrainingLength(share=0.01).apply(ADAPTED, few).epochs == 1
    assert half.apply(half.apply(ADAPTED, clusters), clusters).epochs == 8


def test_epochs_that_were_asked_for_stay_and_nothing_is_trained_to_choose_them(
    monkeypatch: pytest.MonkeyPatch, clusters: RatingsTable
) -> None:
    monkeypatch.setattr(validated_fit, "fit_model", lambda *_, **__: pytest.fail("it was trained"))
    asked = replace(ADAPTED, epochs=7)
    found = choose_training_length(clusters, asked, "temporal")
    assert (found.share, found.validation) == (1, {})
    assert found.apply(asked, clusters).epochs == 7
    assert TrainingLength(share=0.5).apply(asked, clusters).epochs == 7


def test_where_nothing_can_be_held_out_it_is_trained_as_long_as_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validated_fit, "fit_model", lambda *_, **__: pytest.fail("it was trained"))
    few = table_of([("1", "a", 3.0, 1), ("1", "b", 4.0, 2)])
    assert choose_training_length(few, ADAPTED, "temporal") == TrainingLength()


def fashions(*, shuffled: bool) -> RatingsTable:
    """40 movies, of which every ten days another one is watched by most; or the same at shuffled times."""
    random = np.random.default_rng(0)
    movies = np.where(random.random(4_000) < 0.7, np.arange(4_000) // 100, random.integers(0, 40, 4_000))
    times = FIRST_TIMESTAMP + np.arange(4_000) * DAY // 10
    if shuffled:
        times = random.permutation(times)
    ratings: list[Rating] = [
        (str(at % 800), f"{movie:02}", 3.0, int(seconds))
        for at, (movie, seconds) in enumerate(zip(movies.tolist(), times.tolist(), strict=True))
    ]
    return table_of(ratings, [f"{movie:02}" for movie in range(40)])


@pytest.mark.parametrize("shuffled", [False, True])
def test_popularity_follows_time_where_that_predicts_better(shuffled: bool) -> None:
    table = fashions(shuffled=shuffled)
    assert table.has_times
    found = choose_training_length(table, replace(ADAPTED, epochs=1), "global")
    assert found.start.use_trend is not shuffled
    assert found.apply(ADAPTED, table).use_trend is not shuffled


def test_popularity_follows_no_times_that_tell_nothing() -> None:
    untimed = replace(fashions(shuffled=False), has_times=False)
    assert not choose_training_length(untimed, replace(ADAPTED, epochs=1), "random").start.use_trend


def test_a_trend_that_was_asked_for_is_taken() -> None:
    table = fashions(shuffled=True)
    assert TrainingLength().apply(replace(ADAPTED, use_trend=True), table).use_trend


def test_what_was_chosen_is_set_but_for_what_was_asked_for(clusters: RatingsTable) -> None:
    start = StartingChoice(popularity_scale=0.25, factor_scale=99.0, user_bias_regularization=1.0)
    chosen = TrainingLength(retrieval_share=0.5, rating_share=0.4, start=start).apply(
        TrainingConfig(factor_scale=7.0), clusters
    )
    assert (chosen.popularity_scale, chosen.factor_scale) == (0.25, 7.0)
    assert chosen.user_bias_regularization == 1.0
    assert (chosen.retrieval_share, chosen.rating_share) == (0.5, 0.4)


def test_a_document_gives_the_same_length_back() -> None:
    start = StartingChoice(use_trend=True, popularity_scale=0.5)
    length = TrainingLength(0.25, 0.5, 0.75, start, {"epoch": [2, 4], "rmse": [1.0, 0.9]})
    assert TrainingLength.from_document(json.loads(json.dumps(length.to_document()))) == length


@pytest.mark.usefixtures("eagerly")
def test_a_real_fit_is_validated_and_stopped(clusters: RatingsTable) -> None:
    config = replace(ADAPTED, embedding_dimension=4, rating_dimension=2, batch_size=64)
    reported: list[int] = []
    some = clusters.take(np.flatnonzero(clusters.user_rows < 40))
    found = choose_training_length(some, config, "temporal", lambda epoch, _: reported.append(epoch))
    shares = {"retrieval_share", "rating_share"}
    assert found.validation.keys() == {"epoch", "hit_rate_at_100", "ndcg_at_10", "rmse"} | shares
    assert reported == list(range(1, int(found.validation["epoch"][-1]) + 1))
    assert 0 < found.share <= 1
