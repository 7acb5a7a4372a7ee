import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from service.bundle.golden_requests import GoldenRequests, read_golden, write_golden
from service.errors import BundleInconsistent, BundleUnreadable

REQUESTS: GoldenRequests = {
    "recommend": [
        {
            "user_id": None,
            "history": [{"movie_id": "影", "rating": 4.5}, {"movie_id": "", "rating": None}],
            "timestamp": None,
            "k": 10,
            "exclude_seen": True,
            "source": "history",
            "items": [{"movie_id": "1", "score": -0.25, "predicted_rating": 3.0}],
        },
        {
            "user_id": "42",
            "history": [],
            "timestamp": 1_000_000,
            "k": 3,
            "exclude_seen": False,
            "source": "personalized",
            "items": [],
        },
    ],
    "predict_rating": [
        {"user_id": "42", "history": [], "timestamp": 5, "movie_id": "1", "predicted_rating": 3.25}
    ],
}


def test_requests_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_golden(tmp_path, REQUESTS)
    assert read_golden(tmp_path) == REQUESTS


def test_a_score_may_be_a_whole_number(tmp_path: Path) -> None:
    requests = deepcopy(REQUESTS)
    requests["recommend"][0]["items"][0]["score"] = 1
    write_golden(tmp_path, requests)
    assert read_golden(tmp_path) == requests


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda document: document.pop("recommend"), "expected an object with"),
        (lambda document: document.update(surplus=[]), "expected an object with"),
        (lambda document: document.update(recommend={}), r"\.recommend: expected a list"),
        (lambda document: document["recommend"].clear(), "expected requests to recommend"),
        (lambda document: document["recommend"].append(None), r"\.recommend\.2: expected an object"),
        (lambda document: document["recommend"][0].pop("k"), r"\.recommend\.0: expected an object"),
        (
            lambda document: document["recommend"][1].update(k=1.5),
            r"\.recommend\.1\.k: expected int, got 1\.5",
        ),
        (lambda document: document["recommend"][1].update(k=True), r"\.recommend\.1\.k: expected int"),
        (lambda document: document["recommend"][1].update(user_id=42), r"\.1\.user_id: expected str \| None"),
        (lambda document: document["recommend"][1].update(exclude_seen=1), r"\.exclude_seen: expected bool"),
        (lambda document: document["recommend"][0]["history"][1].update(rating="5"), r"\.history\.1\.rating"),
        (lambda document: document["recommend"][0]["items"][0].update(score=None), r"\.items\.0\.score"),
        (lambda document: document["predict_rating"][0].pop("movie_id"), r"\.predict_rating\.0: expected"),
    ],
)
def test_a_document_of_another_shape_is_inconsistent_and_the_place_is_named(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object], where: str
) -> None:
    document: Any = deepcopy(REQUESTS)
    spoil(document)
    (tmp_path / "golden.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(BundleInconsistent, match=rf"golden\.json.*{where}"):
        read_golden(tmp_path)


def test_missing_requests_are_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match=r"golden\.json"):
        read_golden(tmp_path)
