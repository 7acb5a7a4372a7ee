"""Which requests the clients retry, and after which wait."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import httpx
import pytest

from matinee_client import AsyncMatineeClient, MatineeClient
from matinee_client.answer_errors import AnswerError, Unavailable

GENRES: dict[str, Any] = {"bundle_id": "b1", "items": []}
PROBLEM = {"type": "urn:matinee:queue-full", "title": "Too many", "status": 503, "detail": "wait"}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each sleep that the client requested, instead of sleeping."""
    waits: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("asyncio.sleep", sleep)
    return waits


def answering(*answers: httpx.Response | Exception) -> httpx.MockTransport:
    """Mock transport that returns or raises these in order."""
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        each = left.pop(0)
        if isinstance(each, Exception):
            raise each
        return each

    return httpx.MockTransport(answer)


def busy(retry_after: str | None = None) -> httpx.Response:
    return httpx.Response(
        503, json=PROBLEM, headers={} if retry_after is None else {"Retry-After": retry_after}
    )


def test_a_503_is_retried_after_the_seconds_of_retry_after(waits: list[float]) -> None:
    transport = answering(busy("2"), httpx.ConnectError("refused"), busy(), httpx.Response(200, json=GENRES))
    assert MatineeClient("http://service", transport=transport).genres().bundle_id == "b1"
    assert waits[0] == 2
    assert all(0 <= wait <= 0.1 * 2**tries for tries, wait in enumerate(waits) if tries)
    assert len(waits) == 3


def test_the_async_client_retries_as_well(waits: list[float]) -> None:
    async def bundle_id() -> str:
        transport = answering(busy("3"), httpx.Response(200, json=GENRES))
        async with AsyncMatineeClient("http://service", transport=transport) as client:
            return (await client.genres()).bundle_id

    assert anyio.run(bundle_id) == "b1"
    assert waits == [3]


def test_retry_after_may_be_a_date(waits: list[float]) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    transport = answering(busy(at), busy("soon"), httpx.Response(200, json=GENRES))
    MatineeClient("http://service", transport=transport).genres()
    assert 15 < waits[0] <= 20
    assert waits[1] < 1


def test_it_gives_up_after_the_last_retry_or_if_the_wait_is_too_long(waits: list[float]) -> None:
    with pytest.raises(Unavailable, match="503 Too many: wait"):
        MatineeClient("http://service", retries=1, transport=answering(busy(), busy())).genres()
    assert len(waits) == 1
    with pytest.raises(Unavailable) as raised:
        MatineeClient("http://service", transport=answering(busy("3600"))).genres()
    assert raised.value.retry_after_seconds == 3600
    with pytest.raises(httpx.ConnectError):
        MatineeClient("http://service", retries=0, transport=answering(httpx.ConnectError("no"))).genres()


def test_readiness_and_rollback_are_never_retried(waits: list[float]) -> None:
    with pytest.raises(Unavailable):
        MatineeClient("http://service", transport=answering(busy("1"))).ready()
    with pytest.raises(Unavailable):
        MatineeClient("http://service", transport=answering(busy("1"))).rollback()
    assert waits == []


def test_other_errors_are_not_retried(waits: list[float]) -> None:
    late = httpx.Response(504, json=PROBLEM | {"status": 504})
    with pytest.raises(AnswerError) as raised:
        MatineeClient("http://service", transport=answering(late)).genres()
    assert raised.value.status == 504
    assert waits == []
