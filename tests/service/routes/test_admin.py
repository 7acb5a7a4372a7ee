"""What an operator may do, and who is one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from service_client import Ask, asking
from tiny_bundle import seal

from service.app import create_app
from service.bundle.current import CURRENT_FILE, go_live
from service.settings import Settings

KEYS = SecretStr("first-key, second-key,,")


@pytest.fixture
def operator(artifacts: Path) -> Iterator[Ask]:
    settings = Settings(artifacts=artifacts, admin_keys=KEYS)
    with asking(create_app(settings, wait_for_bundle=True)) as ask:

        def with_key(method: str, path: str) -> object:
            return ask(method, path, headers={"X-API-Key": "second-key"})

        yield with_key  # type: ignore[misc] # fewer arguments are enough here


def copy_of_tiny(artifacts: Path, name: str) -> Path:
    directory = Path(shutil.copytree(artifacts / "tiny-1", artifacts / name))
    seal(directory)
    return directory


@pytest.mark.parametrize("path", ["/admin/reload", "/admin/rollback"])
def test_without_a_key_of_an_operator_nothing_happens(path: str, tiny_artifacts: Path) -> None:
    settings = Settings(artifacts=tiny_artifacts, admin_keys=KEYS)
    with asking(create_app(settings)) as ask:
        for headers in ({}, {"X-API-Key": "first"}, {"X-API-Key": ""}, {"Authorization": "Basic first-key"}):
            answer = ask("POST", path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json()["type"] == "urn:matinee:key-missing"
            assert "first" not in answer.text


def test_an_operator_comes_in_with_any_key_and_in_either_way(tiny_artifacts: Path) -> None:
    settings = Settings(artifacts=tiny_artifacts, admin_keys=KEYS)
    with asking(create_app(settings)) as ask:
        for headers in ({"X-API-Key": "first-key"}, {"Authorization": "Bearer second-key"}):
            assert ask("POST", "/admin/reload", headers=headers).status_code == 200


def test_where_no_key_is_set_it_is_closed_to_all(tiny_artifacts: Path) -> None:
    with asking(create_app(Settings(artifacts=tiny_artifacts))) as ask:
        for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": "any"}):
            answer = ask("POST", "/admin/reload", headers=headers)
            assert answer.status_code == 403
            assert "MATINEE_ADMIN_KEYS" in answer.json()["detail"]


def test_keys_are_in_no_print_of_the_settings() -> None:
    assert "first-key" not in repr(Settings(admin_keys=KEYS))


def test_without_a_supervisor_a_reload_says_what_is_served(operator: Ask) -> None:
    assert operator("POST", "/admin/reload").json() == {"bundle_id": "tiny-1", "refused": None}


def test_where_no_bundle_was_live_before_a_rollback_is_409(operator: Ask) -> None:
    answer = operator("POST", "/admin/rollback")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:matinee:no-previous")


def test_where_nothing_may_be_written_a_rollback_is_409(
    operator: Ask, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_of_tiny(artifacts, "tiny-2")
    go_live(artifacts, "tiny-2")

    def refuse(*_: object, **__: object) -> int:
        raise OSError(30, "Read-only file system", str(artifacts / ".CURRENT.lock"))

    monkeypatch.setattr("service.bundle.locks._locked", refuse)
    answer = operator("POST", "/admin/rollback")
    assert answer.status_code == 409
    assert "Read-only file system" in answer.json()["detail"]
    assert (artifacts / CURRENT_FILE).read_text(encoding="utf-8") == "tiny-2\n"
