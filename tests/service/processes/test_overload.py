"""The application past its limits."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from service_client import asking

from service.app import create_app
from service.bundle.query_tower import QueryTower
from service.http.problem_details import Problem
from service.settings import Settings


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_413_whether_or_not_its_length_is_told(
    chunked: bool, tiny_artifacts: Path
) -> None:
    async def pieces() -> Any:
        for _ in range(8):
            yield b" " * 1_000

    with asking(create_app(Settings(artifacts=tiny_artifacts, max_body_bytes=4_096))) as ask:
        content = pieces() if chunked else b" " * 8_000
        headers = {"content-type": "application/json"}
        answer = ask("POST", "/recommend", content=content, headers=headers)
        assert ask("POST", "/recommend", content=b" " * 4_096, headers=headers).status_code == 422
    assert answer.status_code == 413
    assert Problem.model_validate_json(answer.content).type == "urn:matinee:body-too-large"


def test_a_queue_that_is_full_is_503_and_a_deadline_that_passes_504(
    tiny_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, working = threading.Event(), threading.Event()
    read = QueryTower.read

    def slowly(*arguments: Any) -> Any:
        working.set()
        assert may_end.wait(20)
        return read(*arguments)

    settings = Settings(artifacts=tiny_artifacts, queue_size=1, request_timeout_ms=1_000, cached_users=0)
    with asking(create_app(settings)) as ask, ThreadPoolExecutor(3) as pool:
        while ask("GET", "/readyz").status_code != 200:
            time.sleep(0.02)
        monkeypatch.setattr(QueryTower, "read", slowly)
        begun = pool.submit(ask, "GET", "/recommend?user_id=42")
        assert working.wait(20)
        others = [pool.submit(ask, "GET", "/recommend?user_id=42") for _ in range(2)]
        assert ask("GET", "/healthz").status_code == 200
        late = begun.result(20)
        waited, refused = sorted(
            (other.result(20) for other in others), key=lambda answer: -answer.status_code
        )
        for answer in (late, waited):
            assert answer.status_code == 504
            assert answer.json()["type"] == "urn:matinee:deadline-exceeded"
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["type"] == "urn:matinee:queue-full"
        assert refused.elapsed < waited.elapsed
        may_end.set()
