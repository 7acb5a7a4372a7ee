from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, two_clusters

from training.evaluation.model_answers import scores_of
from training.model.added_factors import AddedFactors
from training.model.fitting import fit_model
from training.model.histories import Histories
from training.model.item_factors import WatchedSpectrum
from training.model.trained_model import TrainedModel

CONFIG = replace(SMALL_CONFIG, epochs=2, movie_normalization=0.25, factor_regularization=3.0)
ADDED = replace(CONFIG, added_factors=5, added_scale=9.0)
USERS = np.arange(20, dtype=np.int32)

Fitted = Callable[[], TrainedModel]


@pytest.fixture(scope="module")
def pair() -> tuple[TrainedModel, TrainedModel]:
    """Trained without and with added factors."""
    return fit_model(two_clusters(), CONFIG), fit_model(two_clusters(), ADDED)


def of_factors(histories: Histories) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Sum of the products of factors over the root of the history's length, `[users, movies]`."""
    read, predicted = WatchedSpectrum.of(histories, 5, movie_normalization=0.25).factors(3.0)
    return np.array(
        [
            9 * read[movies].sum(axis=0) @ predicted.T / np.sqrt(len(movies))
            for movies in (histories.movie_rows[histories.rows_of(user)] for user in USERS.tolist())
        ]
    )


def test_scores_are_those_of_training_without_them_and_the_factors_own(
    pair: tuple[TrainedModel, TrainedModel],
) -> None:
    without, added = pair
    expected = scores_of(without)(USERS) + of_factors(without.histories)
    np.testing.assert_allclose(scores_of(added)(USERS), expected, atol=1e-3)
    assert np.abs(of_factors(without.histories)).max() > 0.5


def test_queries_with_a_time_are_answered_as_without_them(pair: tuple[TrainedModel, TrainedModel]) -> None:
    times = np.full(len(USERS), pair[0].histories.timestamps.max(), np.int64)
    without, added = (scores_of(trained, times)(USERS) for trained in pair)
    np.testing.assert_allclose(added, without, atol=1e-3)


def test_distances_between_movies_are_nearly_those_of_what_was_learned(
    pair: tuple[TrainedModel, TrainedModel],
) -> None:
    columns = pair[1].candidate_embeddings
    learned, own = (np.linalg.norm(part, axis=1) for part in (columns[:, 5:-1], columns[:, :5]))
    assert own.mean() < learned.mean() / 2


def test_ratings_are_those_of_training_without_them(pair: tuple[TrainedModel, TrainedModel]) -> None:
    of_pair = []
    for trained in pair:
        inputs = trained.histories.query_inputs(USERS, trained.config.max_history)
        movies = np.tile(np.arange(6, dtype=np.int32), (len(USERS), 1))
        of_pair.append(trained.predict_ratings(inputs, movies))
    np.testing.assert_allclose(of_pair[0], of_pair[1], atol=1e-3)


def test_while_it_trains_a_model_is_measured_with_them() -> None:
    seen: list[np.ndarray[tuple[int, int], np.dtype[np.float32]]] = []

    def validate(trained: TrainedModel) -> dict[str, float]:
        with trained.model.keeping():
            seen.append(scores_of(replace(trained))(USERS))
        seen.append(scores_of(replace(trained))(USERS))
        return {"ndcg_at_10": 0.5}

    trained = fit_model(two_clusters(), ADDED, validate=validate, validated_every=2)
    np.testing.assert_allclose(seen[0] - seen[1], of_factors(trained.histories), atol=1e-3)
    np.testing.assert_allclose(scores_of(trained)(USERS), seen[0], atol=1e-3)


def test_they_are_kept_once_included() -> None:
    layer = AddedFactors(np.ones((3, 2), np.float32))
    layer.include()
    with layer.included():
        pass
    assert layer.variables[1].numpy() == 1
