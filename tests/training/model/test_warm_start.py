from dataclasses import replace

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, Rating, table_of, two_clusters

from training.data.table import RatingsTable
from training.errors import ConfigurationError
from training.model.fitting import fit_model
from training.model.histories import Histories
from training.model.learned_tables import Rows
from training.model.trained_model import TrainedModel
from training.model.vocabulary import build_vocabulary
from training.model.warm_start import WarmStart

BRIEFLY = replace(
    SMALL_CONFIG, embedding_dimension=4, rating_dimension=2, epochs=2, batch_size=64, factor_scale=8.0
)
STANDING_STILL = replace(BRIEFLY, epochs=1, learning_rate=1e-12)
GENRES = {"a": ["Drama"], "b": ["Drama", "War"], "c": ["War"], "d": ["Western", "War"], "e": ["Western"]}


def ratings_of(users: str, movies: str) -> list[Rating]:
    return [
        (user, movie, float(1 + (at * 7 + ord(user)) % 5), 1_000 * ord(user) + 100 * at)
        for user in users
        for at, movie in enumerate(movies)
        if (at + ord(user)) % 4
    ]


def data(users: str, movies: str) -> RatingsTable:
    """Ratings of users with a group, of movies whose genre two of them share."""
    return table_of(
        ratings_of(users, movies),
        list(movies),
        genres=[GENRES[movie] for movie in movies],
        user_features={"group": {user: "even" if ord(user) % 2 == 0 else "odd" for user in users}},
    )


@pytest.fixture(scope="module")
def before() -> RatingsTable:
    return data("uvwxy", "abc")


@pytest.fixture(scope="module")
def former(before: RatingsTable) -> TrainedModel:
    return fit_model(before, BRIEFLY)


def tables_of(trained: TrainedModel) -> dict[str, np.ndarray]:
    return {name: table.variable.numpy() for name, table in trained.model.learned().items()}


def test_all_that_is_trained_has_a_name(former: TrainedModel) -> None:
    named = {id(table.variable) for table in former.model.learned().values()}
    assert named == {id(variable) for variable in former.model.trainable_variables}


def test_on_the_same_data_a_warm_start_begins_where_the_earlier_model_ended(
    former: TrainedModel, before: RatingsTable
) -> None:
    again = fit_model(before, STANDING_STILL, warm=WarmStart.of(former, before))
    np.testing.assert_allclose(again.candidate_embeddings, former.candidate_embeddings, atol=1e-6)
    users = np.arange(len(former.histories), dtype=np.int32)
    inputs = former.histories.query_inputs(users, 64)
    np.testing.assert_allclose(again.embed_queries(inputs), former.embed_queries(inputs), atol=1e-6)
    movies = np.zeros((len(users), 1), np.int32)
    expected = former.predict_ratings(inputs, movies)
    np.testing.assert_allclose(again.predict_ratings(inputs, movies), expected, atol=1e-5)


def test_known_users_movies_and_features_keep_their_rows_wherever_they_are_now(
    former: TrainedModel, before: RatingsTable
) -> None:
    table = data("tuvwyz", "abcde")  # t and z are new, x is gone; d and e are new, and so is their genre
    old, new = tables_of(former), fit_model(table, STANDING_STILL, warm=WarmStart.of(former, before))
    found = tables_of(new)
    for name in ("candidate_tower:ids", "query_tower:presence", "rating_task:movie_bias"):
        np.testing.assert_allclose(found[name][:3], old[name], atol=1e-9)
    # Both vocabularies ascend: t u v w y z, and u v w x y.
    np.testing.assert_allclose(found["query_tower:ids"][1:5], old["query_tower:ids"][[0, 1, 2, 4]], atol=1e-9)
    names = new.vocabulary.candidates.names
    assert set(names) == {"genre:Drama", "genre:War", "genre:Western", "word:film"}
    for at, name in enumerate(names):
        if name != "genre:Western":
            row = former.vocabulary.candidates.names.index(name)
            for learned in ("candidate_tower:content", "rating_task:content_bias"):
                np.testing.assert_allclose(found[learned][at], old[learned][row], atol=1e-9)
    # Groups are numbered by their first user: t is even, u is odd.
    assert former.vocabulary.users.names == tuple(reversed(new.vocabulary.users.names))
    np.testing.assert_allclose(found["query_tower:features"][::-1], old["query_tower:features"], atol=1e-9)
    # What is new begins at random, as in any training: near 0, and not at 0.
    assert 0 < np.abs(found["query_tower:ids"][[0, 5]]).max() < 0.1


def test_a_time_bucket_begins_as_the_one_that_it_was_part_of(
    former: TrainedModel, before: RatingsTable
) -> None:
    table = data("uvwxyz", "abc")
    old, new = tables_of(former), fit_model(table, STANDING_STILL, warm=WarmStart.of(former, before))
    times = tables_of(new)["query_tower:times"]
    first_of_z = np.searchsorted(new.vocabulary.boundaries, 1_000 * ord("z"), side="right")
    # z came after all others: what was learned of the last time holds.
    np.testing.assert_allclose(
        times[first_of_z:], old["query_tower:times"][-1:].repeat(len(times) - first_of_z, 0)
    )
    for second in before.timestamps.tolist():
        was = np.searchsorted(former.vocabulary.boundaries, second, side="right")
        now = np.searchsorted(new.vocabulary.boundaries, second, side="right")
        np.testing.assert_allclose(times[now], old["query_tower:times"][was], atol=1e-9)


def test_item_factors_are_turned_to_the_earlier_ones_without_changing_what_they_say() -> None:
    table = two_clusters(with_features=False)
    config = replace(BRIEFLY, embedding_dimension=8, epochs=1)
    trained = fit_model(table, config)
    warm = WarmStart.of(trained, table)
    # An earlier model whose singular vectors had other signs and another order.
    signs = np.array([1, -1, -1, 1, 1, -1, 1, 1], np.float32)
    read, predicted = (factors[:, ::-1] * signs for factors in warm.factors)
    vocabulary = build_vocabulary(table, Histories.from_table(table), trained.config)
    turned = replace(warm, factors=(read, predicted)).turned(vocabulary, table.movies.movie_ids)
    np.testing.assert_allclose(turned.start.read_factors, read, atol=1e-4)
    np.testing.assert_allclose(turned.start.predicted_factors, predicted, atol=1e-4)
    start = vocabulary.start
    np.testing.assert_allclose(
        turned.start.read_factors @ turned.start.predicted_factors.T,
        start.read_factors @ start.predicted_factors.T,
        atol=1e-4,
    )


def test_a_share_that_was_kept_is_not_taken_of_again(before: RatingsTable) -> None:
    kept = replace(BRIEFLY, retrieval_share=0.5, rating_share=0.25)
    former = fit_model(before, kept)
    again = fit_model(
        before,
        replace(kept, epochs=1, learning_rate=1e-12),
        warm=WarmStart.of(former, before),
    )
    np.testing.assert_allclose(again.candidate_embeddings, former.candidate_embeddings, atol=1e-6)
    np.testing.assert_allclose(again.movie_biases, former.movie_biases, atol=1e-6)


@pytest.mark.parametrize(
    ("dimension", "layers", "named"),
    [
        (8, (), r"query_tower:base of shape \(8,\), got \(4,\)"),
        (4, (4,), "candidate_tower:stack:0:0"),
    ],
)
def test_a_model_of_another_shape_is_refused_by_name(
    former: TrainedModel, before: RatingsTable, dimension: int, layers: tuple[int, ...], named: str
) -> None:
    none = np.zeros((3, dimension), np.float32)
    warm = replace(WarmStart.of(former, before), factors=(none, none))
    config = replace(BRIEFLY, embedding_dimension=dimension, layers=layers)
    with pytest.raises(ConfigurationError, match=named):
        fit_model(before, config, warm=warm)


def test_what_the_rows_are_is_said_of_every_table(former: TrainedModel, before: RatingsTable) -> None:
    lengths = {
        Rows.USERS: 5,
        Rows.CANDIDATES: 3,
        Rows.CONTENT: len(former.vocabulary.candidates.names),
        Rows.USER_FEATURES: 2,
        Rows.TIMES: len(former.vocabulary.boundaries) + 1,
    }
    for rows, variable in former.model.learned().values():
        if rows is not Rows.NONE:
            assert variable.shape[0] == lengths[rows]
    assert WarmStart.of(former, before).names[Rows.USERS] == tuple("uvwxy")
