"""Data unlike MovieLens makes bundles that are verified and served as any other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG, Rating, table_of, two_clusters

from service.bundle import NO_TIMESTAMP
from service.bundle.golden_requests import read_golden
from service.bundle.manifest import read_manifest
from service.loading import load_recommender
from service.recommending.queries import RatingQuery, RecommendQuery
from service.settings import Settings
from training.data.table import RatingsTable
from training.export.bundle_export import export_bundle
from training.model.fitting import fit_model
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]

pytestmark = pytest.mark.usefixtures("verify_here")


def one_diary(films: int) -> RatingsTable:
    """One person's ratings of every film there is, three a day."""
    random = np.random.default_rng(0)
    ratings: list[Rating] = [
        ("me", f"{film}", float(random.integers(1, 6)), 1_700_000_000 + film // 3 * 86_400)
        for film in range(films)
    ]
    return table_of(ratings)


@pytest.mark.usefixtures("eagerly")
def test_one_person_who_has_rated_all_there_is_gets_an_empty_list(tmp_path: Path) -> None:
    table = one_diary(300)
    trained = fit_model(table, replace(SMALL_CONFIG, epochs=2))
    bundle = export_bundle(trained, table, None, tmp_path)
    recommender = load_recommender(bundle, Settings())
    answer = recommender.recommend(RecommendQuery(user_id="me"))
    assert (answer.source, answer.rows.tolist()) == ("personalized", [])
    again = recommender.recommend(RecommendQuery(user_id="me", exclude_seen=False))
    assert len(again.rows) == 10
    assert recommender.predict_rating(RatingQuery(user_id="me", movie_id="7")).known_user


def test_an_index_that_only_cold_start_users_need_serves_them(make_model: MakeModel, tmp_path: Path) -> None:
    """3,000 films are enough for the index, and the one user there is has seen them all."""
    table = one_diary(3_000)
    bundle = export_bundle(make_model(table), table, None, tmp_path)
    recommender = load_recommender(bundle, Settings())
    shares = []
    for film in range(100):
        query = RecommendQuery(history=[{"movie_id": str(29 * film), "rating": 5}])
        exact = recommender.recommend(query, exactly=True)
        shares.append(np.isin(exact.rows, recommender.recommend(query).rows).mean())
    assert np.mean(shares) > 0.95


def test_candidates_that_are_all_alike_are_served(make_model: MakeModel, tmp_path: Path) -> None:
    table = one_diary(1_500)
    model = make_model(table, use_content=False)
    for weight in model.model.candidate_tower.weights:
        weight.assign(np.zeros(weight.shape))
    bundle = export_bundle(model, table, None, tmp_path)
    answer = load_recommender(bundle, Settings()).recommend(RecommendQuery(user_id="me", exclude_seen=False))
    assert answer.scores.tolist() == [0.0] * 10


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-10, 10), (0, 10_000), (0, 1e6), (1e6, 1_000_010), (3, 3)], ids=str
)
def test_any_scale_is_verified_and_served(
    low: float, high: float, make_model: MakeModel, tmp_path: Path
) -> None:
    clusters = two_clusters(per_user=4, with_features=False).take(np.arange(80))
    shares = (clusters.stars.astype(np.float64) - 0.5) / 4.5
    stars = np.round(low + shares * (high - low), 4).astype(np.float32)
    table = replace(clusters, stars=stars)
    bundle = export_bundle(make_model(table), table, None, tmp_path)
    assert read_manifest(bundle).rating_scale == (low, high)
    recommender = load_recommender(bundle, Settings())
    answer = recommender.recommend(RecommendQuery(history=[{"movie_id": "alpha-3", "rating": high}]))
    assert np.all((answer.predicted_ratings >= low) & (answer.predicted_ratings <= high))


@pytest.mark.usefixtures("eagerly")
def test_watches_without_ratings_and_times_make_a_bundle_that_predicts_none(tmp_path: Path) -> None:
    clusters = two_clusters()
    table = replace(
        clusters,
        stars=np.full(len(clusters), np.nan, np.float32),
        timestamps=np.full(len(clusters), NO_TIMESTAMP),
        has_times=False,
    )
    trained = fit_model(table, replace(SMALL_CONFIG, epochs=1))
    bundle = export_bundle(trained, table, None, tmp_path)
    manifest = read_manifest(bundle)
    assert manifest.rating_scale is None
    assert (manifest.dataset["first_timestamp"], manifest.dataset["last_timestamp"]) == (None, None)
    assert not (bundle / "ratings").exists()
    golden = read_golden(bundle)
    assert golden["predict_rating"] == []
    assert {one["timestamp"] for one in golden["recommend"]} == {None}
    assert {item["predicted_rating"] for one in golden["recommend"] for item in one["items"]} == {None}
    signatures = tf.saved_model.load(str(bundle / "model")).signatures
    assert {*signatures} == {"query_state", "embed_query", "embed_candidate", "serving_default"}
    recommender = load_recommender(bundle, Settings())
    answer = recommender.recommend(RecommendQuery(user_id="user-77"))
    user = trained.histories.user_ids.index("user-77")
    scores = (
        trained.candidate_embeddings
        @ trained.embed_queries(trained.histories.query_inputs(np.array([user], np.int32), 64))[0]
    )
    scores[trained.histories.movie_rows[trained.histories.rows_of(user)]] = -np.inf
    assert answer.rows.tolist() == np.argsort(-scores)[:10].tolist()
    assert np.isnan(answer.predicted_ratings).all()
