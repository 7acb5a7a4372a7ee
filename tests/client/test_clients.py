"""The clients against the service in this process, and against mocked responses."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from pydantic import SecretStr
from service_client import Ask, asking
from service_process import REPOSITORY
from tiny_model import MOVIE_IDS, USER_IDS

from matinee_client import AsyncMatineeClient, MatineeClient
from matinee_client.answer_errors import AnswerError, InvalidRequest, NotAllowed, NotFound
from service.app import create_app
from service.settings import Settings

READY = {"status": "ready", "bundle_id": "b1"}


class ToService(httpx.BaseTransport):
    """Transport from a sync client to the application of `ask`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {**request.headers, "accept-encoding": "identity"}  # the answer is read once more
        answer = self._ask(request.method, str(request.url), content=request.read(), headers=headers)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class ToServiceAsync(httpx.AsyncBaseTransport):
    """Transport from an async client."""

    def __init__(self, ask: Ask) -> None:
        self._transport = ToService(ask)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await anyio.to_thread.run_sync(self._transport.handle_request, request)


@pytest.fixture
def client(ask: Ask) -> Iterator[MatineeClient]:
    with MatineeClient("http://service", transport=ToService(ask)) as client:
        yield client


def test_every_response_is_typed(client: MatineeClient) -> None:
    recommended = client.recommend(
        user_id="42",
        history=[{"movie_id": "m3", "rating": 5}, {"movie_id": "m4"}],
        k=3,
        offset=2,
        exclude=["m9"],
        filter={"genres_any": ["War"], "year_min": 1950, "movie_ids": None},
        rank_by="blend",
        diversity=0.2,
        explain=True,
        explore=0.25,
        strict=True,
    )
    assert [item.rank for item in recommended.items] == [3, 4, 5]
    assert [item.explored for item in recommended.items] == [False, True, False]
    assert all("War" in item.genres for item in recommended.items)
    batch = client.recommend_batch([{"user_id": "7", "k": 1}, {"k": 0}])
    assert [hasattr(answer, "error") for answer in batch.items] == [False, True]
    assert client.predict_rating(user_id="42", movie_id="m97").title == "Movie 97 (1997)"
    pairs = client.predict_rating_batch([{"user_id": "42", "movie_title": "Movie 97 (1997)"}])
    assert len(pairs.items) == 1
    assert client.search_movies("twins", genres_any="war", k=1).items[0].movie_id == "m20"
    assert client.movie("m20").num_ratings == 2
    assert client.movie("m20").available
    assert len(client.similar_movies("m20", k=4).items) == 4
    assert client.popular(k=2, genres_any=["drama"], offset=1).total == 160
    assert client.genres().items[0].genre == "Drama"
    assert client.user("42", k=5).items[0].timestamp
    assert [user.user_id for user in client.users("a").items] == ["a\0b", "ab"]
    assert client.model().bundle_id == client.ready().bundle_id == "tiny-1"
    assert client.alive().status == "alive"
    assert 'matinee_bundle_info{bundle_id="tiny-1"} 1.0' in client.metrics()


def test_the_admin_key_is_sent_to_admin_endpoints_and_the_api_key_elsewhere(tiny_artifacts: Path) -> None:
    settings = Settings(
        artifacts=tiny_artifacts,
        reload_seconds=3600,
        api_keys=SecretStr("app"),
        admin_keys=SecretStr("operator"),
    )
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        transport = ToService(ask)
        client = MatineeClient("http://service", api_key="app", admin_key="operator", transport=transport)
        assert client.reload().bundle_id == client.model().bundle_id == "tiny-1"
        with pytest.raises(AnswerError) as raised:
            client.rollback()
        assert (raised.value.status, raised.value.type) == (409, "urn:matinee:no-previous")
        client = MatineeClient("http://service", api_key="app", transport=transport)
        with pytest.raises(NotAllowed, match="one of the other kind"):
            client.reload()


def test_every_endpoint_has_a_method_in_both_clients() -> None:
    requested: set[tuple[str, str]] = set()

    def refuse(request: httpx.Request) -> httpx.Response:
        requested.add((request.method, request.url.path))
        return httpx.Response(500, text="enough")

    methods = {name for name in vars(MatineeClient) if not name.startswith("_")}
    assert methods == {name for name in vars(AsyncMatineeClient) if not name.startswith("_")}
    client = MatineeClient("http://service", transport=httpx.MockTransport(refuse))
    for name in methods - {"close"}:
        method = getattr(client, name)
        needed = [
            name for name, each in inspect.signature(method).parameters.items() if each.default is each.empty
        ]
        with pytest.raises(AnswerError):
            method(**{name: [] if name in {"items", "events"} else name for name in needed})
    operations = {
        (method.upper(), path.replace("{", "").replace("}", ""))
        for path, methods in create_app(Settings()).openapi()["paths"].items()
        for method in methods
    }
    # The clients use the POST variants.
    assert requested == operations - {("GET", "/recommend"), ("GET", "/predict_rating")}


@pytest.mark.parametrize(
    ("method", "former", "sent"),
    [
        ("search_movies", {"genre": "war"}, "/movies?query=&genres_any=war&k=20&offset=0"),
        ("search_movies", {"limit": 3}, "/movies?query=&k=3&offset=0"),
        ("popular", {"genre": "war"}, "/popular?k=10&genres_any=war&offset=0"),
        ("users", {"limit": 3}, "/users?query=&k=3&offset=0"),
        ("user", {"user_id": "42", "limit": 3}, "/users/42?k=3&offset=0"),
        ("user_feedback", {"user_id": "42", "limit": 3}, "/users/42/feedback?k=3&offset=0"),
        ("export_feedback", {"limit": 3}, "/feedback?cursor=0&k=3"),
        ("recommend_batch", {"requests": [{"k": 3}]}, '{"items":[{"k":3}]}'),
        ("predict_rating_batch", {"pairs": [{"user_id": "3"}]}, '{"items":[{"user_id":"3"}]}'),
    ],
)
def test_former_names_of_parameters_work_with_a_warning(
    method: str, former: dict[str, Any], sent: str
) -> None:
    got: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        path = str(request.url).removeprefix("http://service")
        got.append(request.content.decode().replace(" ", "") or path)
        return httpx.Response(500, text="enough")

    def ask_both() -> None:
        with pytest.raises(AnswerError):
            getattr(client, method)(**former)
        with pytest.raises(AnswerError):
            anyio.run(ask_so)

    async def ask_so() -> None:
        await getattr(AsyncMatineeClient("http://service", transport=httpx.MockTransport(refuse)), method)(
            **former
        )

    client = MatineeClient("http://service", transport=httpx.MockTransport(refuse))
    with pytest.warns(DeprecationWarning, match=rf"{method}\(\): '\w+' is a former name") as warned:
        ask_both()
    assert got == [sent, sent]
    assert [warning.filename for warning in warned] == [__file__, __file__]


def test_a_parameter_has_one_of_its_names(client: MatineeClient) -> None:
    with pytest.raises(TypeError, match="users\\(\\) got 'k' and its former name 'limit'"):
        client.users(k=2, limit=3)  # type: ignore[call-arg]  # type checkers know the new name only


@pytest.mark.parametrize("movie_id", ["m1", *MOVIE_IDS[5:8]])
def test_any_text_can_be_a_movie_id(movie_id: str, client: MatineeClient) -> None:
    assert client.movie(movie_id).movie_id == movie_id
    assert client.similar_movies(movie_id).movie_id == movie_id


@pytest.mark.parametrize("user_id", USER_IDS)
def test_any_text_can_be_a_user_id(user_id: str, client: MatineeClient) -> None:
    assert client.user(user_id).user_id == user_id


@pytest.mark.parametrize("movie_id", ["..", ".", "a/similar", "?", "#"])
def test_an_id_is_always_one_path_segment(movie_id: str, client: MatineeClient) -> None:
    with pytest.raises(NotFound, match="has the id") as raised:
        client.movie(movie_id)
    assert raised.value.type == "urn:matinee:unknown-movie"


def test_the_async_client_returns_the_same(ask: Ask, client: MatineeClient) -> None:
    async def responses() -> list[object]:
        async with AsyncMatineeClient("http://service", transport=ToServiceAsync(ask)) as asynchronous:
            return [
                await asynchronous.recommend(user_id="42"),
                await asynchronous.recommend_batch([{"user_id": "42"}]),
                await asynchronous.predict_rating(user_id="42", movie_id="m1"),
                await asynchronous.predict_rating_batch([{"user_id": "42", "movie_id": "m1"}]),
                await asynchronous.search_movies("twins"),
                await asynchronous.movie("m1"),
                await asynchronous.similar_movies("m1"),
                await asynchronous.popular(),
                await asynchronous.genres(),
                await asynchronous.users(),
                await asynchronous.user("42"),
                await asynchronous.model(),
                await asynchronous.alive(),
                await asynchronous.ready(),
                (await asynchronous.metrics()).splitlines()[0],
            ]

    assert anyio.run(responses) == [
        client.recommend(user_id="42"),
        client.recommend_batch([{"user_id": "42"}]),
        client.predict_rating(user_id="42", movie_id="m1"),
        client.predict_rating_batch([{"user_id": "42", "movie_id": "m1"}]),
        client.search_movies("twins"),
        client.movie("m1"),
        client.similar_movies("m1"),
        client.popular(),
        client.genres(),
        client.users(),
        client.user("42"),
        client.model(),
        client.alive(),
        client.ready(),
        client.metrics().splitlines()[0],
    ]


@pytest.fixture
def ask_live(tiny_artifacts: Path, tmp_path: Path) -> Iterator[Ask]:
    settings = Settings(artifacts=tiny_artifacts, store=str(tmp_path / "feedback.sqlite3"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def test_movies_are_put_and_withdrawn(ask_live: Ask) -> None:
    with MatineeClient("http://service", transport=ToService(ask_live)) as client:
        new = client.put_movie("a/new one?", title="Quartz (2500)", genres=["drama"])
        assert (new.title, new.genres, new.year) == ("Quartz (2500)", ["Drama"], 2500)
        assert (new.known, new.recommendable) == (False, True)
        again = client.put_movie("a/new one?", year=None)
        assert (again.title, again.year) == ("Quartz (2500)", None)
        many = client.put_movies([{"movie_id": "b", "title": "Beta"}, {"movie_id": "c", "genres": ["War"]}])
        assert (many.stored, [each.index for each in many.rejected]) == (1, [1])
        assert client.movie("b").title == "Beta"
        only = client.recommend(user_id="42", filter={"movie_ids": ["a/new one?"]})
        assert [item.movie_id for item in only.items] == ["a/new one?"]
        withdrawn = client.withdraw_movie("a/new one?")
        assert (withdrawn.available, withdrawn.recommendable) == (False, False)
        assert client.recommend(user_id="42", filter={"movie_ids": ["a/new one?"]}).items == []
        assert client.put_movie("a/new one?", available=True).recommendable
        with pytest.raises(InvalidRequest, match="expected a title"):
            client.put_movie("nobody knows it", genres=["War"])


def test_the_async_client_puts_and_withdraws_movies(ask_live: Ask) -> None:
    async def use() -> None:
        async with AsyncMatineeClient("http://service", transport=ToServiceAsync(ask_live)) as client:
            new = await client.put_movie("a/new one?", title="Quartz (2500)", genres=["drama"])
            assert (new.title, new.genres, new.year) == ("Quartz (2500)", ["Drama"], 2500)
            many = await client.put_movies([{"movie_id": "b", "title": "Beta"}, {"movie_id": "c", "year": 1}])
            assert (many.stored, [each.index for each in many.rejected]) == (1, [1])
            withdrawn = await client.withdraw_movie("a/new one?")
            assert (withdrawn.available, withdrawn.recommendable) == (False, False)
            with pytest.raises(NotFound):
                await client.similar_movies("c")

    anyio.run(use)


def test_problem_details_become_attributes_of_the_exception(client: MatineeClient) -> None:
    with pytest.raises(NotFound) as unknown:
        client.predict_rating(user_id="42", movie_title="Twinz (1988)")
    assert (unknown.value.status, unknown.value.title) == (404, "Unknown movie")
    assert unknown.value.suggestions[0].title == "Twins (1988)"
    assert unknown.value.request_id
    with pytest.raises(InvalidRequest, match="less than or equal to 500") as invalid:
        client.recommend(user_id="42", k=501)
    assert [error.field for error in invalid.value.errors] == ["body.k"]


def test_an_error_of_a_proxy_is_raised_too() -> None:
    page = httpx.Response(403, text="<html>no</html>")
    with pytest.raises(NotAllowed, match="403 Forbidden: <html>no</html>") as raised:
        MatineeClient("http://service", transport=httpx.MockTransport(lambda _: page)).genres()
    assert (raised.value.type, raised.value.request_id) == ("about:blank", None)


def test_a_key_is_sent_if_there_is_one() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=READY | {"bundle_id": request.headers.get("X-API-Key", "none")})

    for api_key, sent in (("secret", "secret"), (None, "none")):
        client = MatineeClient("http://service", api_key=api_key, transport=httpx.MockTransport(answer))
        assert client.ready().bundle_id == sent


def test_the_client_imports_no_server_packages() -> None:
    heavy = {"service", "training", "tensorflow", "numpy", "annoy", "fastapi", "starlette", "uvicorn"}
    code = f"import sys, matinee_client; print({heavy} & sys.modules.keys())"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY / "client",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout == "set()\n"
