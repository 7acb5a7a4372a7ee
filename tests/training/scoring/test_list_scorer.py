from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tiny_bundle import write_tiny_bundle
from tiny_model import NUM_CANDIDATES, USER_IDS, TinyModel, watches_of

from service.loading import load_recommender
from service.recommending.queries import RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings
from training.scoring.list_scorer import ListScorer, ScoredLists
from training.scoring.scored_bundle import ScoredBundle

ALL = np.arange(len(USER_IDS))


def of_each(lists: ScoredLists) -> list[tuple[list[int], list[float], list[float]]]:
    """Rows, scores and stars of each user."""
    ends = [0, *np.cumsum(lists.lengths).tolist()]
    return [
        tuple(values[start:end].tolist() for values in (lists.rows, lists.scores, lists.stars))
        for start, end in pairwise(ends)
    ]


def assert_as_served(bundle: ScoredBundle, recommender: Recommender, *, k: int, exclude_seen: bool) -> None:
    rows = np.arange(len(bundle.histories))
    lists = of_each(ListScorer(bundle, k=k, exclude_seen=exclude_seen).score(rows))
    for row, (candidates, scores, stars) in zip(rows.tolist(), lists, strict=True):
        user_id = bundle.histories.user_id_of(row)
        served = recommender.recommend(
            RecommendQuery(user_id=user_id, k=k, exclude_seen=exclude_seen), exactly=True
        )
        assert candidates == served.rows.tolist()
        assert scores == served.scores.tolist()
        np.testing.assert_array_equal(stars, served.predicted_ratings)


@pytest.mark.parametrize("k", [1, 7, 100, NUM_CANDIDATES])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_lists_are_the_services_to_the_last_bit(
    k: int, exclude_seen: bool, tiny_scored: ScoredBundle, recommender: Recommender
) -> None:
    assert_as_served(tiny_scored, recommender, k=k, exclude_seen=exclude_seen)


def test_lists_of_a_trained_model_are_the_services_to_the_last_bit(bundle: Path) -> None:
    recommender = load_recommender(bundle, Settings())
    assert_as_served(ScoredBundle.open(bundle), recommender, k=20, exclude_seen=True)


def test_lists_are_those_of_brute_force(tiny_scored: ScoredBundle, tiny: TinyModel) -> None:
    lists = of_each(ListScorer(tiny_scored, k=30).score(ALL))
    for user_id, (rows, scores, stars) in zip(USER_IDS, lists, strict=True):
        assert list(zip(rows, scores, strict=True)) == tiny.recommend(user_id)[:30]
        assert stars == pytest.approx([tiny.stars(row, user_id) for row in rows], abs=1e-6)


def test_a_list_is_shorter_where_fewer_movies_are_left(tiny_scored: ScoredBundle, tiny: TinyModel) -> None:
    lists = of_each(ListScorer(tiny_scored, k=10_000).score(ALL))
    left = [NUM_CANDIDATES - len({row for row, _, _ in tiny.seen(user_id, [])}) for user_id in USER_IDS]
    assert [len(rows) for rows, _, _ in lists] == left


def test_a_list_is_the_same_whoever_else_is_scored(tiny_scored: ScoredBundle) -> None:
    scorer = ListScorer(tiny_scored, k=50)
    together = of_each(scorer.score(np.tile(ALL, 150)))
    alone = [of_each(scorer.score(np.array([row])))[0] for row in ALL]
    assert together == alone * 150


def test_without_ratings_no_rating_is_predicted(tiny: TinyModel, tmp_path: Path) -> None:
    directory = write_tiny_bundle(tmp_path, watches_of(tiny), has_ratings=False)
    lists = ListScorer(ScoredBundle.open(directory), k=5).score(ALL)
    assert np.isnan(lists.stars).all()
    assert len(lists.stars) == 5 * len(ALL)
