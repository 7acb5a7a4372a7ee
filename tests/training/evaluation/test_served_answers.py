from pathlib import Path

import numpy as np
import pytest

from service.bundle import NO_ROW
from training.data.table import RatingsTable
from training.evaluation.model_answers import ratings_of, scores_of
from training.evaluation.served_answers import ServedAnswers, evaluate_bundle
from training.evaluation.split_evaluation import evaluate_model
from training.export.former_bundle import FormerBundle
from training.model.histories import Histories
from training.model.trained_model import TrainedModel


@pytest.fixture(scope="module")
def former(bundle: Path) -> FormerBundle:
    return FormerBundle.open(str(bundle), bundle.parent)


def test_a_bundle_measures_what_its_model_did(
    former: FormerBundle, trained: TrainedModel, train_table: RatingsTable, test_table: RatingsTable
) -> None:
    found = evaluate_bundle(former, train_table, test_table).measures()
    expected = evaluate_model(trained, test_table).measures()
    assert found.keys() == expected.keys()
    for name, figure in expected.items():
        assert found[name] == pytest.approx(figure, abs=1e-3)


def test_users_and_movies_are_found_by_id_and_unknown_movies_rank_last(
    former: FormerBundle, trained: TrainedModel
) -> None:
    histories = trained.histories
    movie_ids = former.movie_ids
    # Other ratings: the movies in reverse, and before them one that the bundle does not know.
    count = len(movie_ids)
    reversed_ids = ("unheard of", *reversed(movie_ids))
    others = Histories(
        user_ids=("unheard of", *histories.user_ids[1:]),
        table_rows=histories.table_rows,
        offsets=histories.offsets,
        movie_rows=(count - histories.movie_rows).astype(np.int32),
        ratings=histories.ratings,
        weights=histories.weights,
        timestamps=histories.timestamps,
        movie_counts=np.append(0, histories.movie_counts[::-1]),
    )
    answers = ServedAnswers(former, others, reversed_ids)
    users = np.array([5, NO_ROW], np.int32)
    scores = answers.score(users)
    np.testing.assert_allclose(scores[:, :0:-1], scores_of(trained)(users), atol=1e-4)
    assert (scores[:, :1] < scores[:, 1:].min(axis=1, keepdims=True)).all()
    stars = answers.predict(users, np.array([[count, 1], [count - 1, 0]], np.int32))
    expected = ratings_of(trained)(users, np.array([[0, count - 1], [1, 1]], np.int32))
    np.testing.assert_allclose(stars[0], expected[0], atol=1e-4)
    assert stars[1, 0] == pytest.approx(expected[1, 0], abs=1e-4)
