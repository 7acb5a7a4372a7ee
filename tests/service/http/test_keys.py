"""Who may ask for what, and that keys go nowhere."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from service_client import Ask, asking
from service_process import running_service

from service.app import create_app
from service.http.key_guesses import MOST_GUESSES, WINDOW_SECONDS, KeyGuesses
from service.settings import Settings

APP, SECOND_APP, OPERATOR = "key-of-an-app", "second-key-of-an-app", "key-of-an-operator"
WRITER = "key-of-a-writer"
OPEN = ["/healthz", "/readyz", "/", "/web/page.js", "/docs", "/openapi.json"]
GUARDED = [
    "/recommend?user_id=42",
    "/predict_rating?user_id=42&movie_id=m3",
    "/movies",
    "/movies/m3",
    "/users/42",
]
GUARDED += [
    "/metrics",
    "/model",
    "/report",
    "/no-such-path",
    "/web",
    "/docs2",
    "/%2e/recommend",
]


def guarded_settings(artifacts: Path, **more: str) -> Settings:
    keys = {"api_keys": SecretStr(f"{APP},{SECOND_APP}"), "admin_keys": SecretStr(OPERATOR)}
    return Settings(artifacts=artifacts, **keys, **more)  # type: ignore[arg-type] # mypy takes each for any field


@pytest.fixture(scope="module")
def ask_with_keys(tiny_artifacts: Path) -> Ask:  # type: ignore[misc] # a generator, for pytest
    with asking(create_app(guarded_settings(tiny_artifacts), wait_for_bundle=True)) as ask:
        yield ask


@pytest.mark.parametrize("path", OPEN)
def test_health_the_page_and_the_documentation_need_no_key(path: str, ask_with_keys: Ask) -> None:
    assert ask_with_keys("GET", path).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
def test_without_a_key_that_somebody_has_all_else_is_401(path: str, ask_with_keys: Ask) -> None:
    for headers in (
        {},
        {"X-API-Key": ""},
        {"X-API-Key": APP[:-1]},
        {"X-API-Key": APP + "x"},
        {"X-API-Key": f"{APP},{SECOND_APP}"},
        {"X-API-Key": "é".encode()},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {APP}"},
        {"Authorization": APP},
        {"Cookie": f"X-API-Key={APP}"},
    ):
        answer = ask_with_keys("GET", path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:matinee:key-missing")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert APP[:-1] not in answer.text
    assert (
        ask_with_keys("GET", f"{path}&key={APP}" if "?" in path else f"{path}?key={APP}").status_code == 401
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": APP},
        {"x-api-key": SECOND_APP},
        {"Authorization": f"Bearer {APP}"},
        {"Authorization": f"bEARER  {APP}"},
    ],
)
def test_any_key_of_an_app_opens_what_apps_ask_for_in_either_way(
    headers: dict[str, str], ask_with_keys: Ask
) -> None:
    for path in GUARDED:
        assert ask_with_keys("GET", path, headers=headers).status_code in {200, 404}
    assert ask_with_keys("POST", "/recommend", headers=headers, json={"user_id": "42"}).status_code == 200


def test_a_key_of_the_other_kind_is_403(ask_with_keys: Ask) -> None:
    for path, key in (("/admin/reload", APP), ("/recommend?user_id=42", OPERATOR), ("/admin/none", APP)):
        answer = ask_with_keys("POST", path, headers={"X-API-Key": key})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:matinee:key-wrong")
    assert ask_with_keys("POST", "/admin/reload", headers={"X-API-Key": OPERATOR}).status_code == 200
    assert ask_with_keys("POST", "/admin/reload").status_code == 401


def test_a_body_is_not_read_before_the_key_is_seen(ask_with_keys: Ask) -> None:
    class Body:
        def __aiter__(self) -> AsyncIterator[bytes]:
            raise AssertionError("read")

    assert ask_with_keys("POST", "/recommend", content=Body()).status_code == 401


@pytest.mark.parametrize(
    ("opened", "path", "status"),
    [
        ("nothing", "/", 401),
        ("nothing", "/openapi.json", 401),
        ("nothing", "/healthz", 200),
        ("metrics", "/metrics", 200),
        ("metrics", "/web/page.js", 401),
        ("report,docs", "/report", 404),
        ("report,docs", "/docs", 200),
        ("report,docs", "/metrics", 401),
    ],
)
def test_what_is_open_is_a_setting(opened: str, path: str, status: int, tiny_artifacts: Path) -> None:
    app = create_app(guarded_settings(tiny_artifacts, open=opened), wait_for_bundle=True)
    with asking(app) as ask:
        assert ask("GET", path).status_code == status


def test_refusals_are_counted(ask_with_keys: Ask) -> None:
    ask_with_keys("GET", "/movies")
    counted = ask_with_keys("GET", "/metrics", headers={"X-API-Key": APP}).text
    [line] = [line for line in counted.splitlines() if 'rejected_total{reason="key"}' in line]
    assert float(line.split()[1]) >= 1


def test_the_document_says_which_operations_want_a_key(tiny_artifacts: Path) -> None:
    def wanting(settings: Settings) -> set[str]:
        paths = create_app(settings).openapi()["paths"]
        return {
            path
            for path, operations in paths.items()
            if all("security" in each for each in operations.values())
        }

    every = set(create_app(Settings()).openapi()["paths"])
    assert wanting(Settings()) == {"/admin/reload", "/admin/rollback"}
    assert wanting(guarded_settings(tiny_artifacts)) == every - {"/healthz", "/readyz"}


@pytest.mark.parametrize("keys", [",", " , ", "schlüssel", "a\x00b"])
def test_keys_that_nobody_could_send_are_no_setting(keys: str) -> None:
    with pytest.raises(ValidationError):
        Settings(api_keys=SecretStr(keys))


@pytest.mark.parametrize("opened", ["", "pages", "page,", "nothing,page", "page, docs"])
def test_only_what_there_is_can_be_opened(opened: str) -> None:
    with pytest.raises(ValidationError):
        Settings(open=opened)


def test_keys_come_from_files_too_and_are_in_nothing_that_is_written(
    tiny_artifacts: Path, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "matinee_api_keys").write_text(f"{APP}\n{SECOND_APP}\n", encoding="utf-8")
    started = running_service(tiny_artifacts, tmp_path / "log", secrets=str(secrets), log_level="debug")
    with started as service:
        service.wait_until_ready()
        sent = {"X-API-Key": SECOND_APP}
        assert service.client.get("/recommend?user_id=42").status_code == 401
        assert service.client.get("/recommend?user_id=42", headers=sent).status_code == 200
        assert service.client.post("/recommend", headers=sent, content=b"{").status_code == 422
        assert service.client.get(f"/recommend?user_id=42&key={APP}", headers=sent).status_code == 422
        assert service.client.post("/admin/reload", headers={"X-API-Key": "guessed-key"}).status_code == 403
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert '"status": 401' in service.log
        for secret in (APP, "guessed-key"):
            assert secret not in service.log


@pytest.fixture
def ask_with_write_keys(tiny_artifacts: Path, tmp_path: Path) -> Iterator[Ask]:
    settings = guarded_settings(tiny_artifacts, store=str(tmp_path / "feedback.sqlite3"))
    settings = settings.model_copy(update={"write_keys": SecretStr(WRITER)})
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def test_writing_needs_a_key_of_its_kind_which_also_asks(ask_with_write_keys: Ask) -> None:
    event = {"events": [{"user_id": "ann", "movie_id": "m1", "type": "watch"}]}
    writing: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/feedback", {"json": event}),
        ("GET", "/feedback", {}),
        ("POST", "/feedback/import", {"content": b"", "headers": {"Content-Type": "text/csv"}}),
        ("DELETE", "/users/ann/feedback/m1", {}),
        ("DELETE", "/users/ann", {}),
        ("POST", "/movies", {"json": {"movies": [{"movie_id": "m1", "available": True}]}}),
    ]
    for method, path, arguments in writing:
        headers = arguments.pop("headers", {})
        statuses = [
            ask_with_write_keys(method, path, headers=headers | {"X-API-Key": key}, **arguments).status_code
            for key in (WRITER, APP, OPERATOR, "unknown")
        ]
        assert statuses == [200, 403, 403, 401]
    asked = [("GET", "/users/42"), ("GET", "/users/ann/feedback"), ("GET", "/recommend?user_id=42")]
    for method, path in asked:
        for key in (WRITER, APP):
            assert ask_with_write_keys(method, path, headers={"X-API-Key": key}).status_code == 200


def test_guesses_are_slowed_and_who_has_a_key_is_not(tiny_artifacts: Path) -> None:
    with asking(create_app(guarded_settings(tiny_artifacts), wait_for_bundle=True)) as ask:

        def status(key: str) -> int:
            return ask("GET", "/model", headers={"X-API-Key": key}).status_code

        assert status(APP) == 200
        assert [status(f"guess-{place}") for place in range(MOST_GUESSES)] == [401] * MOST_GUESSES
        assert [status("another"), status(SECOND_APP), status(APP)] == [429, 429, 200]
        refused = ask("GET", "/model", headers={"X-API-Key": "another"})
        assert (refused.json()["type"], refused.headers["Retry-After"]) == ("urn:matinee:key-guessed", "60")
        assert ask("GET", "/model").status_code == 401


def test_a_minute_later_guesses_are_looked_at_again_and_addresses_are_apart() -> None:
    clock = [0.0]
    guesses = KeyGuesses(lambda: clock[0])
    for _ in range(MOST_GUESSES):
        assert not guesses.is_slowed("a", b"k")
        guesses.wrong("a")
    assert guesses.is_slowed("a", b"k")
    assert not guesses.is_slowed("b", b"k")
    clock[0] = WINDOW_SECONDS
    assert not guesses.is_slowed("a", b"k")
