import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_model import MOVIE_IDS

from service import golden
from service.bundle.golden_requests import GOLDEN_FILE
from service.errors import BundleDisagrees, BundleInconsistent
from service.recommending.recommender import Recommender

Document = dict[str, Any]


def replay(
    recommender: Recommender, tiny_artifacts: Path, tmp_path: Path, spoil: Callable[[Document], object]
) -> None:
    document = json.loads((tiny_artifacts / "tiny-1" / GOLDEN_FILE).read_text(encoding="utf-8"))
    spoil(document)
    (tmp_path / GOLDEN_FILE).write_text(json.dumps(document), encoding="utf-8")
    golden.replay(recommender, tmp_path)


def drop_best(document: Document) -> None:
    items = document["recommend"][3]["items"]
    items[:] = [*items[1:], items[0] | {"movie_id": "m0", "score": items[-1]["score"] - 1}]


def swap_first_two(document: Document) -> None:
    items = document["recommend"][3]["items"]
    items[0]["movie_id"], items[1]["movie_id"] = items[1]["movie_id"], items[0]["movie_id"]


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (drop_best, r"recommend\.3\.items\.0"),
        (swap_first_two, r"recommend\.3\.items\.0"),
        (lambda document: document["recommend"][0]["items"].pop(), r"recommend\.0: expected 9 items, got 10"),
        (
            lambda document: document["recommend"][0].update(source="popular"),
            "source popular, got personalized",
        ),
        (
            lambda document: document["recommend"][0]["items"][4].update(predicted_rating=9),
            r"items\.4: .* 9 stars",
        ),
        (lambda document: document["predict_rating"][5].update(predicted_rating=0.5), r"predict_rating\.5"),
        (lambda document: document["predict_rating"][5].update(movie_id="m999"), "'m999'"),
    ],
)
def test_an_answer_unlike_the_recorded_one_is_refused(
    recommender: Recommender,
    tiny_artifacts: Path,
    tmp_path: Path,
    spoil: Callable[[Document], object],
    where: str,
) -> None:
    with pytest.raises(BundleDisagrees, match=where):
        replay(recommender, tiny_artifacts, tmp_path, spoil)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["recommend"].clear(),
        lambda document: document.pop("predict_rating"),
        lambda document: document["predict_rating"].clear(),
        lambda document: document["recommend"][0].pop("k"),
        lambda document: document["recommend"].insert(0, None),
    ],
)
def test_a_document_that_holds_no_requests_is_inconsistent(
    recommender: Recommender, tiny_artifacts: Path, tmp_path: Path, spoil: Callable[[Document], object]
) -> None:
    with pytest.raises(BundleInconsistent, match=r"golden\.json"):
        replay(recommender, tiny_artifacts, tmp_path, spoil)


def test_equal_scores_may_stand_in_another_order(
    recommender: Recommender, tiny_artifacts: Path, tmp_path: Path
) -> None:
    def reverse_equals(document: Document) -> None:
        popular = next(each for each in document["recommend"] if each["source"] == "popular")
        popular["items"].sort(key=lambda item: (-item["score"], item["movie_id"][::-1]))

    replay(recommender, tiny_artifacts, tmp_path, reverse_equals)


def test_an_index_that_misses_the_best_is_refused(
    recommender: Recommender, tiny_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Random:
        def nearest(self, _embedding: object, num_rows: int, _search_k: int) -> NDArray[np.int32]:
            return np.random.default_rng(0).permutation(240)[:num_rows].astype(np.int32)

    monkeypatch.setattr(recommender.index, "_index", Random())
    # A catalogue as small as this one is scanned otherwise, whatever its index finds.
    monkeypatch.setattr("service.recommending.candidate_search.LEVELS", ((10, 12), (20, 30), (30, 40)))
    with pytest.raises(BundleDisagrees, match="expected the index to find 90%"):
        golden.replay(recommender, tiny_artifacts / "tiny-1")


def test_of_equal_scores_the_index_may_find_any(
    recommender: Recommender, tiny_artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places 7 and 8 of one golden list are equal; the list is cut between them."""

    class LastOfEquals:
        def nearest(self, embedding: NDArray[np.float32], num_rows: int, _search_k: int) -> NDArray[np.int32]:
            scores = recommender.index.score(embedding)
            scores[[MOVIE_IDS.index("m3"), MOVIE_IDS.index("🎬")]] = np.inf  # the movies sent
            return np.sort(np.lexsort((-np.arange(240), -scores))[:num_rows]).astype(np.int32)

    def cut(document: Document) -> None:
        [golden] = [
            one for one in document["recommend"] if one["source"] == "history" and not one["timestamp"]
        ]
        assert golden["items"][6]["score"] == golden["items"][7]["score"]
        document["recommend"] = [golden | {"k": 7, "items": golden["items"][:7]}]

    monkeypatch.setattr(recommender.index, "_index", LastOfEquals())
    monkeypatch.setattr("service.recommending.candidate_search.LEVELS", ((7, 7), (20, 20), (30, 30)))
    monkeypatch.setattr(golden, "LEAST_RECALL", 1.0)
    replay(recommender, tiny_artifacts, tmp_path, cut)


def add(document: Document, name: str, difference: float) -> None:
    """Changes one recorded number: of a rating, of an item's rating, or of an item's score."""
    if name == "rating":
        document["predict_rating"][5]["predicted_rating"] += difference
    else:
        document["recommend"][3]["items"][0][name] += difference


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("rating", (0.0009, 0.0011)),  # stars: 1e-3 on a scale from 1 to 5
        ("predicted_rating", (0.0009, 0.0011)),
        ("score", (0.00005, 0.01)),  # 1e-4 of a score of some tens
    ],
)
def test_answers_may_differ_as_much_as_processors_do_and_no_more(
    recommender: Recommender, tiny_artifacts: Path, tmp_path: Path, name: str, bounds: tuple[float, float]
) -> None:
    accepted, refused = bounds
    for sign in (1, -1):
        replay(recommender, tiny_artifacts, tmp_path, partial(add, name=name, difference=sign * accepted))
        with pytest.raises(BundleDisagrees):
            replay(recommender, tiny_artifacts, tmp_path, partial(add, name=name, difference=sign * refused))
