"""Movies that a bundle was not trained with, as the service places them."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, cluster_of, table_of

from service.bundle.candidate_encoding import MovieContent, encode_candidates
from service.bundle.golden_requests import HistoryEntry
from service.live.posted_movies import PostedMovie, PostedMovies
from service.loading import load_recommender
from service.recommending.queries import RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings
from training.data.table import RatingsTable
from training.export.bundle_export import export_bundle
from training.model.fitting import fit_model

GENRES = {"alpha": ("Drama",), "beta": ("Comedy", "War"), "gamma": ("Horror",)}
PER_CLUSTER = 80
POSTED = PostedMovies(
    {
        f"new-{cluster}": PostedMovie(f"new-{cluster}", f"{cluster.title()} Returns (1972)", genres)
        for cluster, genres in GENRES.items()
    }
)


def three_clusters() -> RatingsTable:
    """Ratings of users each of whom watches and likes what has one word and one set of genres."""
    random = np.random.default_rng(0)
    movie_ids = [f"{cluster}-{number}" for cluster in GENRES for number in range(PER_CLUSTER)]
    ratings = [
        (f"u{user}", f"{cluster}-{number}", float(random.choice([4.0, 5.0])), 10_000 * user + place)
        for user in range(90)
        for cluster in [[*GENRES][user % 3]]
        for place, number in enumerate(random.choice(PER_CLUSTER, 30, replace=False).tolist())
    ]
    titles = [f"{each.replace('-', ' ').title()} ({1950 + row % 50})" for row, each in enumerate(movie_ids)]
    genres = [GENRES[cluster_of(each)] for each in movie_ids]
    return table_of(ratings, movie_ids, titles=titles, genres=genres)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    table = three_clusters()
    trained = fit_model(table, replace(SMALL_CONFIG, epochs=10))
    bundle = export_bundle(trained, table, None, tmp_path_factory.mktemp("new") / "artifacts")
    return load_recommender(bundle, Settings())


@pytest.fixture(scope="module")
def served(bundled: Recommender) -> Recommender:
    """With two movies that were put after the training."""
    return bundled.with_movies(POSTED)


def five_of(cluster: str) -> list[HistoryEntry]:
    return [{"movie_id": f"{cluster}-{number}", "rating": 5.0} for number in range(3, 8)]


@pytest.mark.parametrize("liked", GENRES)
def test_a_new_movie_is_among_the_first_hundred_of_who_rated_five_alike(
    served: Recommender, liked: str
) -> None:
    answer = served.recommend(RecommendQuery(history=five_of(liked), k=100))
    ids = [served.catalogue.movie_ids[row] for row in answer.rows.tolist()]
    before = ids[: ids.index(f"new-{liked}")]
    assert {cluster_of(each) for each in before} == {liked}
    assert len(before) < PER_CLUSTER - 5


def test_the_movies_of_the_bundle_keep_their_places_and_scores(
    bundled: Recommender, served: Recommender
) -> None:
    query = RecommendQuery(history=five_of("alpha"), k=300)
    before, after = bundled.recommend(query), served.recommend(query)
    kept = after.rows < len(bundled.catalogue)
    np.testing.assert_array_equal(after.rows[kept], before.rows)
    np.testing.assert_array_equal(after.scores[kept], before.scores)
    np.testing.assert_array_equal(after.predicted_ratings[kept], before.predicted_ratings)


def test_similar_to_a_new_movie_are_those_of_its_content(served: Recommender) -> None:
    row = served.catalogue.row_of("new-beta")
    rows, _ = served.similar_movies.of(row, 10)
    assert {cluster_of(served.catalogue.movie_ids[each]) for each in rows.tolist()} == {"beta"}


def test_what_the_bundle_does_not_know_of_a_movie_is_ignored_and_others_do_not_matter(
    bundled: Recommender,
) -> None:
    embed = bundled.tower.embed_candidate
    assert embed is not None
    contents = [
        MovieContent("Alpha (1972)", ("Drama",), 1972),
        MovieContent("Alpha Zyzzyva (1972)", ("Drama", "Unheard of"), 1972),
        MovieContent("Beta", ("War",), None),
        MovieContent("Zyzzyva", (), 1800),
        MovieContent("\U0001f3ac", (), None),
    ]
    together = embed(encode_candidates(contents))
    for name, column in together.items():
        np.testing.assert_allclose(column[0], column[1], atol=1e-6)
        np.testing.assert_allclose(column[3], column[4], atol=1e-6)
        alone = np.concatenate([embed(encode_candidates([each]))[name] for each in contents])
        np.testing.assert_allclose(alone, column, atol=1e-6)
    assert together["candidate_embeddings"].shape == (5, bundled.manifest.embedding_dimension)
