"""The application around its bundles; each test spoils or swaps a copy of the tiny one."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from service_client import Ask, asking
from tiny_bundle import seal

from service.app import create_app
from service.bundle.annoy_index import INDEX_FILE
from service.bundle.current import go_live
from service.bundle.golden_requests import GOLDEN_FILE
from service.recommending.recommender import Recommender
from service.settings import Settings


def wait_for(ask: Ask, status: int, text: str) -> httpx.Response:
    """Polls `/readyz` until it answers so."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = ask("GET", "/readyz")
        if answer.status_code == status and text in answer.text:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"expected {status} with {text!r}, got {answer.status_code}: {answer.text}")


def settings(artifacts: Path) -> Settings:
    return Settings(artifacts=artifacts, reload_seconds=0.05)


def test_a_damaged_bundle_is_503_naming_file_and_reason(artifacts: Path) -> None:
    path = artifacts / "tiny-1" / INDEX_FILE
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with asking(create_app(settings(artifacts))) as ask:
        answer = wait_for(ask, 503, "sha256")
        assert answer.json()["type"] == "urn:matinee:checksum-differs"
        assert str(path) in answer.json()["detail"]
        assert ask("POST", "/recommend", json={"user_id": "42"}).json() == answer.json()
        assert ask("GET", "/healthz").status_code == 200


def test_a_bundle_that_answers_otherwise_than_recorded_is_503(artifacts: Path) -> None:
    path = artifacts / "tiny-1" / GOLDEN_FILE
    golden = json.loads(path.read_text(encoding="utf-8"))
    golden["predict_rating"][0]["predicted_rating"] += 0.5
    path.write_text(json.dumps(golden), encoding="utf-8")
    seal(artifacts / "tiny-1")
    with asking(create_app(settings(artifacts))) as ask:
        problem = wait_for(ask, 503, "bundle-disagrees").json()
    assert f"{path}: predict_rating.0" in problem["detail"]


def test_the_application_serves_what_current_names_and_shows_its_manifest(artifacts: Path) -> None:
    shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")
    seal(artifacts / "tiny-2", metrics=None)
    go_live(artifacts, "tiny-2")
    with asking(create_app(settings(artifacts))) as ask:
        wait_for(ask, 200, "tiny-2")
        assert ask("GET", "/recommend?user_id=42").json()["bundle_id"] == "tiny-2"
        model = ask("GET", "/model").json()
        assert (model["metrics"], model["manifest"]["metrics"]) == ("not measured", None)


def test_one_application_serves_one_bundle_for_its_whole_life(artifacts: Path) -> None:
    seal(Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")))
    with asking(create_app(settings(artifacts), wait_for_bundle=True)) as ask:
        go_live(artifacts, "tiny-2")
        time.sleep(0.2)
        assert ask("GET", "/readyz").json()["bundle_id"] == "tiny-1"


def test_while_a_bundle_loads_the_process_answers(
    artifacts: Path, recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, may_end = Event(), Event()

    def load(*_: Any, **__: Any) -> Recommender:
        loading.set()
        assert may_end.wait(20)
        return recommender

    monkeypatch.setattr("service.app.load_recommender", load)
    with asking(create_app(settings(artifacts))) as ask:
        assert loading.wait(20)
        assert ask("GET", "/healthz").status_code == 200
        assert ask("GET", "/readyz").status_code == 503
        may_end.set()
        wait_for(ask, 200, "tiny-1")


def test_while_a_model_call_takes_long_the_event_loop_goes_on(
    artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, may_end = Event(), Event()
    answer = Recommender.answer

    with asking(create_app(settings(artifacts))) as ask, ThreadPoolExecutor(1) as pool:
        wait_for(ask, 200, "tiny-1")

        def slowly(*arguments: Any, **named: Any) -> Any:
            working.set()
            assert may_end.wait(20)
            return answer(*arguments, **named)

        monkeypatch.setattr(Recommender, "answer", slowly)
        slow = pool.submit(ask, "GET", "/recommend?user_id=42")
        assert working.wait(20)
        assert ask("GET", "/healthz").status_code == 200
        assert not slow.done()
        may_end.set()
        assert slow.result(20).status_code == 200
