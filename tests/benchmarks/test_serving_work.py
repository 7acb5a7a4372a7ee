"""The work that serving frameworks call gives the service's answers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_model import MAX_HISTORY, MOVIE_IDS, NUM_CANDIDATES, SCALE, USER_IDS, TinyModel

from benchmarks.serving.work import BUNDLE_VARIABLE, WORK_VARIABLE, make_work
from benchmarks.serving_frameworks import mark_of
from service.bundle.rating_head import RatingHead
from service.bundle.stored_states import write_stored_states
from service.schemas.recommendations import RecommendAnswer

_PAGE = Path(__file__).parents[2] / "docs" / "performance.md"


@pytest.fixture(params=["recommender", "plain", "plain, states stored"])
def work(request: pytest.FixtureRequest, artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    name, _, stored = request.param.partition(", ")
    directory = artifacts / "tiny-1"
    if stored:
        write_stored_states(directory, num_candidates=NUM_CANDIDATES, max_history=MAX_HISTORY)
    monkeypatch.setenv(BUNDLE_VARIABLE, str(directory))
    monkeypatch.setenv(WORK_VARIABLE, name)
    return make_work()


def test_a_batch_is_answered_in_order_with_the_ten_best_unseen_movies_and_their_ratings(
    work: Any, tiny: TinyModel
) -> None:
    user_ids = list(USER_IDS[:3])
    answers = [RecommendAnswer.model_validate(document) for document in work.answer(user_ids)]
    assert [answer.user_id for answer in answers] == user_ids
    for user_id, answer in zip(user_ids, answers, strict=True):
        best = tiny.recommend(user_id, [], None)[:10]
        assert [item.movie_id for item in answer.items] == [MOVIE_IDS[row] for row, _ in best]
        assert [item.score for item in answer.items] == pytest.approx([score for _, score in best], abs=1e-4)
        stars = [tiny.stars(row, user_id, [], None) for row, _ in best]
        assert [item.predicted_rating for item in answer.items] == pytest.approx(stars, abs=1e-4)


def test_plain_work_rates_by_the_layers_of_the_bundle(
    artifacts: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BUNDLE_VARIABLE, str(artifacts / "tiny-1"))
    monkeypatch.setenv(WORK_VARIABLE, "plain")
    user_id = USER_IDS[0]
    query, vectors = tiny.embed(user_id, tiny.seen(user_id, []), None), tiny.candidates / np.float32(16)
    RatingHead.write(
        artifacts / "tiny-1",
        vectors=vectors,
        biases=_floats([0.25] * NUM_CANDIDATES),
        confidences=_floats([2] * NUM_CANDIDATES),
        mean_stars=3,
        spread_stars=0.5,
        # One sees the movie's bias and the product, the other its confidence, which a ReLU stops.
        layers=[
            (_floats([[0, 0], [1, 0], [0.5, 0], [0, -1], [0, 0]]), _floats([0.5, 0])),
            (_floats([[0.25], [8]]), _floats([0.125])),
        ],
    )
    [answer] = make_work().answer([user_id])
    assert len({item["predicted_rating"] for item in answer["items"]}) > 1
    for item in answer["items"]:
        product = float(vectors[MOVIE_IDS.index(item["movie_id"])] @ query)
        correction = 0.25 * max(0.25 + 0.5 * product + 0.5, 0) + 0.125
        stars = 3 + 0.5 * (0.25 + product + correction)
        assert item["predicted_rating"] == pytest.approx(min(max(stars, SCALE[0]), SCALE[1]), abs=1e-4)


def _floats(values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)


@pytest.mark.parametrize("work_name", ["plain", "recommender"])
def test_the_page_has_a_place_for_each_table(work_name: str) -> None:
    mark = mark_of(work_name)
    page = _PAGE.read_text(encoding="utf-8")
    assert page.count(f"<!-- {mark} -->\n") == page.count(f"<!-- /{mark} -->\n") == 1
