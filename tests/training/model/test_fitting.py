import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import SMALL_CONFIG, Rating, cluster_of, table_of, two_clusters

from service.bundle import NO_ROW
from service.bundle.query_encoding import QueryInputs, encode_queries, untimed_history
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import DataError, TrainingDiverged
from training.evaluation.split_evaluation import evaluate_model
from training.model.fitting import fit_model, prepare_fit
from training.model.initial_scores import InitialScores
from training.model.rating_biases import fit_biases
from training.model.trained_model import TrainedModel

BRIEFLY = replace(SMALL_CONFIG, embedding_dimension=4, rating_dimension=2, epochs=2, batch_size=64)


def a_few_ratings() -> RatingsTable:
    random = np.random.default_rng(0)
    ratings: list[Rating] = [
        (str(user), str(movie), float(random.integers(1, 6)), 100 * at)
        for user in range(12)
        for at, movie in enumerate(random.choice(9, 5, replace=False).tolist())
    ]
    return table_of(ratings, [str(movie) for movie in range(10)])


def weights_of(trained: TrainedModel) -> list[NDArray[Any]]:
    return [variable.numpy() for variable in trained.model.variables]


def cold_start_query(movies: dict[str, float], table: RatingsTable) -> QueryInputs:
    rows = [table.movies.movie_ids.index(movie) for movie in movies]
    return encode_queries([untimed_history(rows, list(movies.values()))])


def best_movies(trained: TrainedModel, inputs: QueryInputs, table: RatingsTable, k: int = 10) -> list[str]:
    scores = (trained.embed_queries(inputs) @ trained.candidate_embeddings.T)[0]
    scores[inputs["history_rows"]] = -np.inf
    return [table.movies.movie_ids[row] for row in np.argsort(-scores)[:k]]


@pytest.mark.usefixtures("eagerly")
def test_where_retrieval_weighs_nothing_only_ratings_are_learned(clusters: RatingsTable) -> None:
    trained = fit_model(clusters, replace(SMALL_CONFIG, retrieval_weight=0.0, epochs=3))
    assert trained.losses["retrieval_loss"] == [0.0, 0.0, 0.0]
    assert trained.losses["rating_loss"][-1] < trained.losses["rating_loss"][0]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    table = a_few_ratings()
    first, again = fit_model(table, BRIEFLY), fit_model(table, BRIEFLY)
    assert first.losses == again.losses
    for one, same in zip(weights_of(first), weights_of(again), strict=True):
        np.testing.assert_array_equal(one, same)
    # Validation does not change what a model learns.
    validated = fit_model(table, BRIEFLY, validate=lambda model: {"x": float(model.movie_biases[0])})
    assert validated.validation["epoch"] == [BRIEFLY.epochs]  # the last one, of fewer than VALIDATED_EVERY
    np.testing.assert_array_equal(validated.candidate_embeddings, first.candidate_embeddings)
    other = fit_model(table, replace(BRIEFLY, seed=BRIEFLY.seed + 1, epochs=1))
    assert other.losses["loss"][0] != first.losses["loss"][0]
    assert any(
        not np.array_equal(one, differs)
        for one, differs in zip(weights_of(first), weights_of(other), strict=True)
    )


@pytest.mark.usefixtures("eagerly")
def test_each_validation_measures_the_weights_of_its_epoch() -> None:
    embeddings: list[NDArray[np.float32]] = []

    def validate(model: TrainedModel) -> dict[str, float]:
        embeddings.append(model.candidate_embeddings)
        return {"epochs": len(model.losses["loss"])}

    trained = fit_model(a_few_ratings(), replace(BRIEFLY, epochs=6), validate=validate)
    assert trained.validation == {"epoch": [5, 6], "epochs": [5, 6]}
    assert not np.array_equal(embeddings[0], embeddings[1])
    np.testing.assert_array_equal(embeddings[1], trained.candidate_embeddings)


def test_every_epoch_is_reported_with_its_losses(trained: TrainedModel) -> None:
    assert trained.losses.keys() == {"loss", "retrieval_loss", "rating_loss"}
    assert {len(values) for values in trained.losses.values()} == {SMALL_CONFIG.epochs}
    for total, retrieval, rating in zip(
        *(trained.losses[name] for name in ("loss", "retrieval_loss", "rating_loss")), strict=True
    ):
        expected = SMALL_CONFIG.retrieval_weight * retrieval + SMALL_CONFIG.rating_weight * rating
        assert total == pytest.approx(expected, rel=1e-3)
    assert trained.losses["loss"][-1] < trained.losses["loss"][0]


@pytest.mark.usefixtures("eagerly")
def test_a_loss_that_is_not_finite_stops_training_with_its_name() -> None:
    reported: list[int] = []
    with pytest.raises(TrainingDiverged, match=r"loss became (nan|inf) in epoch \d+; lower learning_rate"):
        fit_model(
            a_few_ratings(),
            replace(BRIEFLY, learning_rate=1e30, epochs=50),
            lambda epoch, _: reported.append(epoch),
        )
    assert reported == list(range(1, len(reported) + 1))
    assert len(reported) < 50


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_ratings_to_train_on_are_refused(rows: int) -> None:
    with pytest.raises(DataError, match=f"expected at least 2 ratings to train on, got {rows}"):
        fit_model(a_few_ratings().take(np.arange(rows)), BRIEFLY)


def test_the_structure_of_the_data_is_learned(measured: dict[str, Any]) -> None:
    model, baselines = measured["model"], measured["baselines"]
    for name in ("hit_rate_at_10", "ndcg_at_10", "recall_at_20"):
        assert model[name] > 1.5 * baselines["popularity"][name]
        assert model[name] > baselines["ease"][name]  # which knows the kinds, not the order
    assert model["rmse"] < 0.8


def test_the_mean_rating_is_beaten(
    measured: dict[str, Any], train_table: RatingsTable, test_table: RatingsTable
) -> None:
    of_the_mean = np.sqrt(np.mean((test_table.stars - train_table.stars.mean()) ** 2))
    assert measured["model"]["rmse"] < 0.5 * of_the_mean
    assert measured["model"]["rmse"] < 0.5 * measured["baselines"]["biases"]["rmse"]


def test_a_cold_start_user_gets_the_kind_of_movies_sent(
    trained: TrainedModel, clusters: RatingsTable
) -> None:
    for kind in ("alpha", "beta"):
        liked = cold_start_query({f"{kind}-{number}": 5.0 for number in (4, 5, 6)}, clusters)
        found = best_movies(trained, liked, clusters)
        assert [cluster_of(movie) for movie in found].count(kind) >= 9
        coming = {f"{kind}-{number}" for number in range(7, 12)}  # in their one order
        assert len(coming & set(found)) >= 3


def test_the_same_movies_rated_1_and_5_give_other_lists_and_other_ratings(
    trained: TrainedModel, clusters: RatingsTable
) -> None:
    films = ("alpha-4", "alpha-17", "alpha-30")
    liked = cold_start_query(dict.fromkeys(films, 5.0), clusters)
    disliked = cold_start_query(dict.fromkeys(films, 1.0), clusters)
    lists = [best_movies(trained, inputs, clusters) for inputs in (liked, disliked)]
    alphas = [[cluster_of(movie) for movie in found].count("alpha") for found in lists]
    assert alphas[0] >= 8
    assert alphas[1] <= 4
    rows = {
        kind: [row for row, each in enumerate(clusters.movies.movie_ids) if cluster_of(each) == kind]
        for kind in ("alpha", "beta")
    }

    def mean_stars(inputs: QueryInputs, kind: str) -> float:
        return float(trained.predict_ratings(inputs, np.array([rows[kind]], np.int32)).mean())

    assert mean_stars(liked, "alpha") > mean_stars(disliked, "alpha") + 1
    assert mean_stars(disliked, "beta") > mean_stars(liked, "beta") + 1


def test_known_users_get_the_kind_they_like_with_and_without_a_time(
    trained: TrainedModel, clusters: RatingsTable
) -> None:
    histories = trained.histories
    last = trained.vocabulary.time_range[1]
    for user_id, kind in {"影": "alpha", "🎬": "beta", "user-50": "alpha"}.items():
        user = np.array([histories.user_ids.index(user_id)], np.int32)
        for moment in (None, np.array([last])):
            found = best_movies(trained, histories.query_inputs(user, 64, moment), clusters)
            assert [cluster_of(movie) for movie in found].count(kind) >= 7


def test_the_order_of_a_history_counts(trained: TrainedModel, clusters: RatingsTable) -> None:
    forwards = [f"alpha-{number}" for number in range(10, 20)]
    towards_20 = cold_start_query(dict.fromkeys(forwards, 5.0), clusters)
    towards_9 = cold_start_query(dict.fromkeys(reversed(forwards), 5.0), clusters)
    assert best_movies(trained, towards_20, clusters) != best_movies(trained, towards_9, clusters)


def test_a_query_without_time_differs_from_one_with(trained: TrainedModel) -> None:
    users = np.arange(20, dtype=np.int32)
    first, last = trained.vocabulary.time_range

    def embedded(moment: int | None) -> NDArray[np.float32]:
        moments = None if moment is None else np.full(20, moment)
        return trained.embed_queries(trained.histories.query_inputs(users, 64, moments))

    assert np.abs(embedded(None) - embedded(last)).max() > 0.01
    assert np.abs(embedded(first) - embedded(last)).max() > 0.01
    np.testing.assert_array_equal(embedded(last + 10**9), embedded(last))
    np.testing.assert_array_equal(embedded(first - 10**9), embedded(first))


def test_movies_without_ratings_have_an_embedding_and_predicted_ratings(trained: TrainedModel) -> None:
    unrated = np.flatnonzero(trained.vocabulary.candidate_counts == 0)
    assert set(range(80, 85)) <= set(unrated.tolist())
    embedded = trained.candidate_embeddings[unrated]
    assert np.isfinite(embedded).all()
    assert np.abs(embedded).sum(axis=1).min() > 0
    users = np.arange(5, dtype=np.int32)
    stars = trained.predict_ratings(
        trained.histories.query_inputs(users, 64), np.tile(unrated.astype(np.int32), (5, 1))
    )
    assert np.all((stars >= 0.5) & (stars <= 5.0))


def test_a_sampled_softmax_learns_too(
    train_table: RatingsTable, test_table: RatingsTable, measured: dict[str, Any]
) -> None:
    config = replace(SMALL_CONFIG, full_softmax_candidates=10)
    model = evaluate_model(fit_model(train_table, config), test_table).measures()
    popularity = measured["baselines"]["popularity"]
    assert model["hit_rate_at_10"] > 1.5 * popularity["hit_rate_at_10"]
    assert model["ndcg_at_10"] > 1.5 * popularity["ndcg_at_10"]
    assert model["rmse"] < 1.0


HUNDREDS = two_clusters(per_user=8, with_features=False)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    ("config", "stars_to_scale"),
    [
        (replace(BRIEFLY, layers=(8, 4), use_user_id=False), (1.0, 0.0)),
        (replace(BRIEFLY, use_history=False, time_buckets=0), (25.0, -12.5)),
        (replace(BRIEFLY, use_content=False, rating_layers=(), full_softmax_candidates=5), (1.0, -9.0)),
    ],
    ids=["layers", "no history and no time, 0 to 112.5", "no content, sampled, -8.5 to -4"],
)
def test_every_feature_can_be_switched_off_on_any_scale_of_stars(
    config: TrainingConfig, stars_to_scale: tuple[float, float]
) -> None:
    factor, offset = stars_to_scale
    table = replace(HUNDREDS, stars=HUNDREDS.stars * np.float32(factor) + np.float32(offset))
    trained = fit_model(table, replace(config, epochs=1))
    assert table.rating_scale is not None
    low, high = table.rating_scale
    assert (low, high) == (0.5 * factor + offset, 5.0 * factor + offset)
    inputs = trained.histories.query_inputs(np.array([0, 7, NO_ROW], np.int32), 64)
    stars = trained.predict_ratings(inputs, np.tile(np.arange(85, dtype=np.int32), (3, 1)))
    assert np.all((stars >= low) & (stars <= high))
    assert np.isfinite(trained.embed_queries(inputs)).all()
    assert np.isfinite(trained.candidate_embeddings).all()
    assert trained.candidate_embeddings.shape == (85, 5)


@pytest.mark.usefixtures("eagerly")
def test_equal_ratings_can_be_trained_on() -> None:
    table = replace(a_few_ratings(), stars=np.full(60, 4.0, np.float32))
    trained = fit_model(table, replace(BRIEFLY, epochs=1))
    inputs = trained.histories.query_inputs(np.array([0], np.int32), 64)
    assert trained.predict_ratings(inputs, np.arange(10, dtype=np.int32)[None]).tolist() == [[4.0] * 10]


def test_a_model_that_is_let_go_leaves_no_histories_in_memory() -> None:
    histories = weakref.ref(fit_model(a_few_ratings(), replace(BRIEFLY, epochs=1)).histories)
    gc.collect()
    assert histories() is None


def test_a_trained_model_holds_no_moments_of_its_weights() -> None:
    fit = prepare_fit(a_few_ratings(), replace(BRIEFLY, epochs=1))
    optimizer = weakref.ref(fit.trained.model.optimizer)
    fit.run([])
    fit.finish()
    gc.collect()
    assert optimizer() is None


@pytest.mark.usefixtures("eagerly")
def test_ratings_are_learned_on_the_towers_that_are_served() -> None:
    """Of the towers nothing is trained and nothing is kept, so they are the same after every epoch."""
    table = a_few_ratings()
    config = replace(BRIEFLY, factor_scale=16.0, retrieval_weight=0.0, retrieval_share=0.0)
    seen: list[NDArray[np.float32]] = []

    def look(trained: TrainedModel) -> dict[str, float]:
        seen.append(np.array(trained.candidate_embeddings))
        with trained.model.keeping(retrieval=0.5, rating=0.5):
            pass
        return {}

    trained = fit_model(table, config, None, look, validated_every=1)
    untrained = fit_model(table, replace(config, retrieval_weight=1.0, epochs=1))
    for embeddings in (*seen, untrained.candidate_embeddings):
        np.testing.assert_array_equal(embeddings, trained.candidate_embeddings)
    assert len(seen) == 2
    assert trained.losses["rating_loss"][1] < trained.losses["rating_loss"][0]
    assert trained.model.learned().keys() == untrained.model.learned().keys()


@pytest.mark.usefixtures("eagerly")
def test_of_what_training_taught_only_the_shares_that_are_asked_for_are_kept() -> None:
    """Without the towers popularity and factors order movies; without the rating task biases rate them."""
    table = a_few_ratings()
    config = replace(BRIEFLY, factor_scale=16.0, retrieval_share=0.0, rating_share=0.0, epochs=1)
    trained = fit_model(table, config)
    users = np.arange(12, dtype=np.int32)
    inputs = trained.histories.query_inputs(users, config.max_history)
    initial = InitialScores(table, trained.histories, trained.config)
    np.testing.assert_allclose(
        trained.embed_queries(inputs) @ trained.candidate_embeddings.T,
        initial.score(users, popularity_scale=1.0, factor_scale=16.0),
        atol=1e-4,
    )
    learned = fit_model(table, replace(config, retrieval_share=1.0, rating_share=1.0))
    assert np.abs(learned.candidate_embeddings - trained.candidate_embeddings).max() > 0.01
    biases = fit_biases(table, user_regularization=config.user_bias_regularization)
    spread = trained.vocabulary.rating_spread
    np.testing.assert_allclose(trained.movie_biases, biases.movies / spread, atol=1e-5)
