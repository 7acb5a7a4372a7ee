"""The whole path: ratings in a directory, `python -m training fit`, `python -m service`, answers by HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from brute_force import BruteForce
from service_process import REPOSITORY, ServiceProcess, running_service
from synthetic_ratings import two_clusters, write_csv

from service.bundle.current import read_current
from training.data.table import RatingsTable

Item = dict[str, Any]
KNOWN = ("影", 'say "42"', "a,b", "user-42")
LIKED: list[dict[str, Any]] = [
    {"movie_id": "alpha-7", "rating": 5},
    {"movie_id": "beta-1", "rating": 0.5},
    {"movie_id": "alpha-8"},
]


@pytest.fixture(scope="module")
def table() -> RatingsTable:
    return two_clusters(with_features=False)


@pytest.fixture(scope="module")
def artifacts_of_fit(table: RatingsTable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves, run as its users run it; few epochs, for here only its answers count."""
    directory = tmp_path_factory.mktemp("whole path")
    data = write_csv(table, directory / "my ratings")
    command = ["fit", "--data", str(data), "--evaluate", "none", "--artifacts", str(directory / "artifacts")]
    ended = subprocess.run(
        [sys.executable, "-m", "training", *command, "--epochs", "4"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "2,880 ratings of 85 movies by 120 users" in ended.stderr
    assert ended.stdout == ""
    return directory / "artifacts"


@pytest.fixture(scope="module")
def service(artifacts_of_fit: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    with running_service(artifacts_of_fit, tmp_path_factory.mktemp("service") / "log") as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def client(service: ServiceProcess) -> httpx.Client:
    return service.client


@pytest.fixture(scope="module")
def brute_force(table: RatingsTable, artifacts_of_fit: Path) -> BruteForce:
    return BruteForce(table, read_current(artifacts_of_fit))


def recommend(client: httpx.Client, **body: Any) -> tuple[str, list[Item]]:
    """Source and items of an answer, whose form must be right whatever was asked."""
    answer = client.post("/recommend", json=body)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document.keys() == {"user_id", "bundle_id", "source", "items"}
    assert document["user_id"] == body.get("user_id")
    items: list[Item] = document["items"]
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert len({item["movie_id"] for item in items}) == len(items)
    expected = {
        "rank",
        "movie_id",
        "title",
        "display_title",
        "genres",
        "year",
        "score",
        "rank_score",
        "predicted_rating",
        "source",
    }
    for place, item in enumerate(items):
        assert item.keys() == expected
        assert (item["rank"], item["source"]) == (place + 1, document["source"])
        assert item["rank_score"] == item["score"]
        assert 0.5 <= item["predicted_rating"] <= 5.0
    return document["source"], items


def assert_best(items: list[Item], expected: list[tuple[str, float]]) -> None:
    """The same movies in the same order, but for the order of equal scores."""
    score_of = dict(expected)
    assert [item["score"] for item in items] == pytest.approx([score for _, score in expected], abs=1e-5)
    for item in items:
        assert item["score"] == pytest.approx(score_of[item["movie_id"]], abs=1e-5)


@pytest.mark.parametrize("user_id", KNOWN)
@pytest.mark.parametrize("timestamp", [None, 1_003_000_000])
def test_a_known_user_gets_the_best_movies_they_have_not_seen(
    client: httpx.Client, brute_force: BruteForce, table: RatingsTable, user_id: str, timestamp: int | None
) -> None:
    source, items = recommend(client, user_id=user_id, timestamp=timestamp)
    assert source == "personalized"
    assert len(items) == 10
    assert_best(items, brute_force.recommend(user_id, timestamp=timestamp)[:10])
    seen = table.movie_rows[table.user_rows == table.user_ids.index(user_id)].tolist()
    assert not {item["movie_id"] for item in items} & {table.movies.movie_ids[row] for row in seen}
    for item in items:
        assert item["predicted_rating"] == pytest.approx(
            brute_force.stars(item["movie_id"], user_id), abs=1e-4
        )
        row = table.movies.movie_ids.index(item["movie_id"])
        assert item["title"] == table.movies.titles[row]
        assert item["genres"] == list(table.movies.genres[row])
        assert item["year"] == int(table.movies.years[row])


def test_a_cold_start_user_with_a_history_gets_movies_that_follow_from_it(
    client: httpx.Client, brute_force: BruteForce
) -> None:
    source, items = recommend(client, history=LIKED, rank_by="retrieval", k=20)
    assert source == "history"
    assert_best(items, brute_force.recommend(None, LIKED)[:20])
    assert not {item["movie_id"] for item in items} & {entry["movie_id"] for entry in LIKED}
    turned = [entry | {"rating": 5.5 - entry["rating"]} if "rating" in entry else entry for entry in LIKED]
    _, otherwise = recommend(client, user_id="nobody", history=turned, rank_by="retrieval", k=20)
    assert_best(otherwise, brute_force.recommend(None, turned)[:20])
    assert [item["movie_id"] for item in otherwise] != [item["movie_id"] for item in items]


def test_a_known_user_who_sends_more_is_answered_for_all_of_it(
    client: httpx.Client, brute_force: BruteForce
) -> None:
    history = [{"movie_id": "nobody-3", "rating": 5}]
    source, items = recommend(client, user_id="影", history=history, k=85)
    assert source == "personalized"
    assert_best(items, brute_force.recommend("影", history))


def test_a_user_of_whom_nothing_is_known_gets_the_models_answer_to_an_empty_history(
    client: httpx.Client, brute_force: BruteForce
) -> None:
    source, items = recommend(client, user_id="nobody", k=30)
    assert source == "popular"
    assert_best(items, brute_force.recommend(None)[:30])


@pytest.mark.parametrize("k", [1, 17, 61, 62, 500])
def test_there_are_exactly_k_items_unless_the_catalogue_is_exhausted(
    client: httpx.Client, brute_force: BruteForce, k: int
) -> None:
    _, items = recommend(client, user_id="a,b", k=k)
    assert len(items) == min(k, 85 - 24)
    assert_best(items, brute_force.recommend("a,b")[:k])
    _, with_seen = recommend(client, user_id="a,b", k=k, exclude_seen=False)
    assert len(with_seen) == min(k, 85)


def test_times_outside_the_data_are_clipped_to_it(client: httpx.Client, table: RatingsTable) -> None:
    assert table.time_range is not None
    first, last = table.time_range
    for outside, inside in ((0, first), (99_999_999_999, last)):
        assert recommend(client, user_id="影", timestamp=outside) == recommend(
            client, user_id="影", timestamp=inside
        )


@pytest.mark.parametrize("user_id", [*KNOWN, "nobody"])
def test_a_rating_is_predicted_for_anybody_by_id_and_by_title(
    client: httpx.Client, brute_force: BruteForce, table: RatingsTable, user_id: str
) -> None:
    for movie_id in ("alpha-12", "beta-3", "nobody-1"):  # the last has no ratings, only its title
        answer = client.post("/predict_rating", json={"user_id": user_id, "movie_id": movie_id}).json()
        title = table.movies.titles[table.movies.movie_ids.index(movie_id)]
        assert answer.pop("predicted_rating") == pytest.approx(brute_force.stars(movie_id, user_id), abs=1e-4)
        assert answer == {
            "user_id": user_id,
            "movie_id": movie_id,
            "title": title,
            "display_title": title.rpartition(" (")[0],
            "known_user": user_id != "nobody",
            "bundle_id": brute_force.bundle.name,
        }
        by_title = client.post("/predict_rating", json={"user_id": user_id, "movie_title": title}).json()
        assert by_title["predicted_rating"] == pytest.approx(brute_force.stars(movie_id, user_id), abs=1e-4)


def test_a_history_counts_for_a_rating_too(client: httpx.Client, brute_force: BruteForce) -> None:
    for stars in (0.5, 5):
        history = [{"movie_id": f"alpha-{number}", "rating": stars} for number in range(6)]
        answer = client.post("/predict_rating", json={"history": history, "movie_id": "alpha-9"}).json()
        expected = brute_force.stars("alpha-9", None, history)
        assert answer["predicted_rating"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("user_id", KNOWN)
def test_a_browser_gets_the_same_answers(client: httpx.Client, user_id: str) -> None:
    body: dict[str, str | int] = {"user_id": user_id, "k": 7}
    assert client.get("/recommend", params=body).json() == client.post("/recommend", json=body).json()
    rating = {"user_id": user_id, "movie_id": "beta-3"}
    assert (
        client.get("/predict_rating", params=rating).json()
        == client.post("/predict_rating", json=rating).json()
    )


def test_what_cannot_be_answered_is_refused_naming_it(client: httpx.Client) -> None:
    off_scale = {"history": [{"movie_id": "alpha-1", "rating": 5.5}]}
    refused = client.post("/recommend", json=off_scale)
    assert refused.status_code == 422
    assert "history.0.rating" in refused.text
    unknown = client.post("/predict_rating", json={"user_id": "影", "movie_id": "gamma-1"})
    assert unknown.status_code == 404
    assert "gamma-1" in unknown.text


def test_the_model_says_where_it_comes_from_and_that_it_was_not_measured(
    client: httpx.Client, brute_force: BruteForce, table: RatingsTable
) -> None:
    assert client.get("/readyz").json()["bundle_id"] == brute_force.bundle.name
    answer = client.get("/model").json()
    assert answer["metrics"] == "not measured"
    manifest = answer["manifest"]
    assert manifest["metrics"] is None
    assert manifest["dataset"]["sha256"] == table.sha256
    assert manifest["dataset"]["source"] == "ratings.csv, movies.csv in my ratings"
    assert manifest["rating_scale"] == [0.5, 5.0]
    assert manifest["hyperparameters"]["epochs"] == 4


def test_nothing_of_all_this_upset_the_service(service: ServiceProcess) -> None:
    assert "Traceback" not in service.log
