"""Movies that a bundle was not trained with, as the service places them."""

from pathlib import Path

import numpy as np
import pytest
from synthetic_ratings import cluster_of

from service.bundle.candidate_encoding import MovieContent, encode_candidates
from service.bundle.golden_requests import HistoryEntry
from service.live.posted_movies import PostedMovie, PostedMovies
from service.loading import load_recommender
from service.recommending.queries import RatingQuery, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings

POSTED = PostedMovies(
    {
        "new-alpha": PostedMovie("new-alpha", "Alpha Returns (1972)", ("Drama",)),
        "new-beta": PostedMovie("new-beta", "Beta Returns (1972)", ("Comedy", "War")),
    }
)


@pytest.fixture(scope="module")
def bundled(bundle: Path) -> Recommender:
    return load_recommender(bundle, Settings())


@pytest.fixture(scope="module")
def served(bundled: Recommender) -> Recommender:
    """With two movies that were put after the training."""
    return bundled.with_movies(POSTED)


def five_of(cluster: str) -> list[HistoryEntry]:
    return [{"movie_id": f"{cluster}-{number}", "rating": 5.0} for number in range(3, 8)]


@pytest.mark.parametrize(("liked", "other"), [("alpha", "beta"), ("beta", "alpha")])
def test_a_new_movie_is_among_those_alike_for_whoever_rated_five_of_them(
    served: Recommender, liked: str, other: str
) -> None:
    answer = served.recommend(RecommendQuery(history=five_of(liked), k=200))
    ids = [served.catalogue.movie_ids[row] for row in answer.rows.tolist()]
    place = ids.index(f"new-{liked}")
    before = [cluster_of(each) for each in ids[:place]]
    assert before.count(other) == 0
    assert ids.index(f"new-{other}") > place
    stars = {
        cluster: served.predict_rating(RatingQuery(history=five_of(liked), movie_id=f"new-{cluster}")).stars
        for cluster in (liked, other)
    }
    assert stars[liked] > stars[other] + 1


def test_the_movies_of_the_bundle_keep_their_places_and_scores(
    bundled: Recommender, served: Recommender
) -> None:
    query = RecommendQuery(history=five_of("alpha"), k=200)
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
