"""What a replay asks and posts, and what it compares."""

import json

import httpx
import numpy as np
import pytest
from synthetic_ratings import table_of

from benchmarks.replay import Row, compared, in_order, places_of

ROWS = [Row(0, "ann", "a", 4, 100), Row(1, "bob", "a", 2, 110), Row(0, "ann", "b", 5, 120)]


def test_rows_are_in_the_order_of_time_and_then_of_ids() -> None:
    table = table_of([("bob", "10", 3, 50), ("ann", "9", 4, 60), ("ann", "10", 5, 60), ("ann", "8", 1, 70)])
    rows = in_order(table, None)
    assert [(row.user, row.user_id, row.movie_id, row.stars, row.timestamp) for row in rows] == [
        (1, "bob", "10", 3, 50),
        (0, "ann", "9", 4, 60),
        (0, "ann", "10", 5, 60),
        (0, "ann", "8", 1, 70),
    ]
    [one] = {(row.user, row.user_id) for row in in_order(table, 1)}
    assert one[0] == 0


@pytest.mark.parametrize(("posts", "places"), [(True, [2, 2, 1]), (False, [2, 2, 0])])
def test_what_is_watched_is_posted_after_it_was_looked_for(posts: bool, places: list[int]) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        asked.append((request.url.path, body))
        if request.url.path == "/feedback":
            return httpx.Response(200, json={"stored": 1, "unknown_movies": []})
        knows_ann = any(path == "/feedback" for path, _ in asked)
        ids = ["b", "c"] if knows_ann and body["user_id"] == "ann" else ["c", "a"]
        return httpx.Response(200, json={"items": [{"movie_id": movie_id} for movie_id in ids]})

    client = httpx.Client(base_url="http://service", transport=httpx.MockTransport(answer))
    assert [*places_of(client, ROWS, posts=posts, says_when=True, excludes=not posts)] == places
    if posts:
        assert asked[:2] == [
            ("/recommend", {"user_id": "ann", "k": 10, "timestamp": 100}),
            (
                "/feedback",
                {
                    "events": [
                        {"user_id": "ann", "movie_id": "a", "type": "rating", "value": 4, "timestamp": 100}
                    ]
                },
            ),
        ]
    else:
        assert [body["exclude"] for _, body in asked] == [[], [], ["a"]]


def test_a_rate_is_of_all_rows_whoever_watched_them() -> None:
    said = compared("hits", np.array([0, 0, 0, 1]), np.array([1.0, 1, 0, 1]), np.array([1.0, 0, 0, 0]))
    assert said == "hits: 0.7500 with the store, 0.2500 without: 3.00 times"
