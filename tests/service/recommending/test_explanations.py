"""Explanations with the tiny model, whose arithmetic is exact, and histories longer than `max_history`."""

from dataclasses import replace
from typing import Any

import pytest
from tiny_model import MAX_HISTORY, MOVIE_IDS, NUM_CANDIDATES, USER_IDS, Rated, TinyModel

from service.bundle.golden_requests import HistoryEntry
from service.bundle.query_tower import QueryTower
from service.recommending.queries import MOST_NAMED, Recommendation, RecommendQuery
from service.recommending.recommender import Recommender


def explained(recommender: Recommender, **fields: Any) -> Recommendation:
    answer = recommender.recommend(RecommendQuery(explain=True, **fields))
    assert answer.because is not None
    return answer


def losses(tiny: TinyModel, user_id: str | None, seen: list[Rated], row: int) -> dict[int, float]:
    """Compute by hand what the score of `row` loses without each movie that the model reads."""
    whole = tiny.candidates[row] @ tiny.embed(user_id, seen, None)
    without = {
        left_out[0]: tiny.candidates[row]
        @ tiny.embed(user_id, [each for each in seen if each is not left_out], None)
        for left_out in seen[-MAX_HISTORY:]
    }
    return {left_out: float(whole - score) for left_out, score in without.items()}


@pytest.mark.parametrize("user_id", USER_IDS)
def test_the_largest_contributions_are_what_the_score_loses_without_each_movie(
    user_id: str, recommender: Recommender, tiny: TinyModel
) -> None:
    answer = explained(recommender, user_id=user_id, k=20)
    assert answer.because is not None
    assert any(answer.because)
    assert answer.although is not None
    assert any(answer.although)
    stars = {row: given for row, given, _ in tiny.histories[user_id] if given is not None}
    for row, reasons, disliked in zip(answer.rows.tolist(), answer.because, answer.although, strict=True):
        expected = losses(tiny, user_id, tiny.seen(user_id, []), row)
        for named, is_disliked in ((reasons, False), (disliked, True)):
            positive = sorted(
                (loss for rated, loss in expected.items() if loss > 0 and (stars[rated] < 3) == is_disliked),
                reverse=True,
            )
            assert [reason.score for reason in named] == pytest.approx(positive[:MOST_NAMED], abs=1e-5)
            for reason in named:
                assert expected[reason.row] == pytest.approx(reason.score, abs=1e-5)
                assert reason.stars == stars[reason.row]


@pytest.mark.parametrize("length", [1, 3, MAX_HISTORY, MAX_HISTORY + 1, 30])
def test_without_the_first_named_movie_the_item_scores_lower(length: int, recommender: Recommender) -> None:
    history: list[HistoryEntry] = [
        {"movie_id": MOVIE_IDS[(7 * place) % NUM_CANDIDATES], "rating": [5.0, 4.0, None][place % 3]}
        for place in range(length)
    ]
    # A known user, so that the answer is personalized without the only movie too.
    answer = explained(recommender, user_id="42", history=history, k=30)
    assert answer.because is not None
    sent = {entry["movie_id"] for entry in history}
    compared = 0
    for row, score, reasons in zip(answer.rows.tolist(), answer.scores.tolist(), answer.because, strict=True):
        if not reasons or (first := MOVIE_IDS[reasons[0].row]) not in sent:
            continue
        less = [entry for entry in history if entry["movie_id"] != first]
        query = RecommendQuery(user_id="42", history=less, exclude_seen=False, k=NUM_CANDIDATES)
        again = recommender.recommend(query)
        now = dict(zip(again.rows.tolist(), again.scores.tolist(), strict=True))[row]
        assert now < score
        assert score - now == pytest.approx(reasons[0].score, abs=1e-4)
        compared += 1
    assert compared > 0


@pytest.mark.parametrize("rank_by", ["rating", "blend"])
def test_reasons_are_of_what_orders_the_list(rank_by: Any, recommender: Recommender, tiny: TinyModel) -> None:
    answer = explained(recommender, user_id="42", rank_by=rank_by, k=NUM_CANDIDATES)
    assert answer.because is not None
    assert any(answer.because)
    seen = tiny.seen("42", [])
    whole = tiny.candidates @ tiny.embed("42", seen, None)
    pool = answer.rows
    # What a unit counts, standardized over the pool, which is all that is left.
    of_score, of_stars = (1 / answer.scores.std(), 1 / answer.predicted_ratings.std())
    if rank_by == "rating":
        of_score, of_stars = 0, 1
    for row, reasons in zip(pool.tolist(), answer.because, strict=True):
        for reason in reasons:
            less = [each for each in seen if each[0] != reason.row]
            score = float(tiny.candidates[row] @ tiny.embed("42", less, None))
            stars = [min(max(3 + row / 512 + each / 16, 1), 5) for each in (whole[row], score)]
            lost = of_score * (whole[row] - score) + of_stars * (stars[0] - stars[1])
            assert reason.score == pytest.approx(lost, abs=1e-4)


def test_there_are_no_reasons_without_a_history_or_without_explain(recommender: Recommender) -> None:
    popular = explained(recommender, user_id="nobody", k=3)
    assert (popular.source, popular.because) == ("popular", [(), (), ()])
    assert recommender.recommend(RecommendQuery(user_id="42")).because is None


def test_an_unwanted_explanation_calls_no_model(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    read = QueryTower.read

    def counted(tower: QueryTower, inputs: Any) -> Any:
        nonlocal calls
        calls += 1
        return read(tower, inputs)

    monkeypatch.setattr(QueryTower, "read", counted)
    query = RecommendQuery(user_id="42", explain=True)
    fresh = replace(recommender, cached_users=0)
    fresh.answer([query] * 5, is_wanted=lambda: False)
    assert calls == 1
