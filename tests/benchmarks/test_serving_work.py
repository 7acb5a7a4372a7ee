"""The work that serving frameworks call gives the service's answers."""

from pathlib import Path
from typing import Any

import pytest
from tiny_model import USER_IDS

from benchmarks.serving.work import BUNDLE_VARIABLE, WORK_VARIABLE, make_work
from service.recommending.queries import RatingQuery
from service.recommending.recommender import Recommender
from service.schemas.recommendations import RecommendAnswer


@pytest.fixture
def work(tiny_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv(BUNDLE_VARIABLE, str(tiny_artifacts / "tiny-1"))
    monkeypatch.setenv(WORK_VARIABLE, "recommender")
    return make_work()


def test_a_batch_is_answered_in_order_with_ten_unseen_movies_and_ratings(
    work: Any, recommender: Recommender
) -> None:
    user_ids = list(USER_IDS[:3])
    answers = [RecommendAnswer.model_validate(document) for document in work.answer(user_ids)]
    assert [answer.user_id for answer in answers] == user_ids
    for user_id, answer in zip(user_ids, answers, strict=True):
        rows = recommender.histories.of_known_user(user_id).rows.tolist()
        seen = {recommender.catalogue.movie_ids[row] for row in rows}
        assert len(answer.items) == 10
        assert not seen & {item.movie_id for item in answer.items}
        scores = [item.score for item in answer.items]
        assert scores == sorted(scores, reverse=True)
        for item in answer.items[:3]:
            rated = recommender.predict_rating(RatingQuery(user_id=user_id, movie_id=item.movie_id))
            assert item.predicted_rating == pytest.approx(rated.stars, abs=1e-4)
