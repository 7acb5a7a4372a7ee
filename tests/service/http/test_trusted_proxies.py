"""Guessed keys are counted by the client's address, which only a trusted balancer may name."""

from pathlib import Path

import httpx
import pytest
from service_process import ServiceProcess, running_service

from service.http.key_guesses import MOST_GUESSES

KEY = "k" * 32


def guesses_until_slowed(
    service: ServiceProcess, *forwarded: str, most: int = MOST_GUESSES + 5
) -> int | None:
    """How many unknown keys are looked at from a client with these headers; None where the last still is."""
    headers = [("X-API-Key", "wrong"), *(("X-Forwarded-For", each) for each in forwarded)]
    for guess in range(most):
        status = service.client.get("/recommend", headers=headers).status_code
        if status == 429:
            return guess
        assert status == 401
    return None


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.0/8,10.0.0.0/8"])
def test_behind_a_trusted_balancer_one_who_guesses_does_not_slow_the_others(
    trusted: str, tmp_path: Path
) -> None:
    with running_service(tmp_path, tmp_path / "log", api_keys=KEY, trusted_proxies=trusted) as service:
        assert guesses_until_slowed(service, "203.0.113.7") == MOST_GUESSES
        assert guesses_until_slowed(service, "203.0.113.8", most=1) is None
        # What a client sent stands before what balancers added: it changes no address.
        assert guesses_until_slowed(service, "198.51.100.1, 203.0.113.7", most=1) == 0
        assert guesses_until_slowed(service, "198.51.100.2", "203.0.113.7", most=1) == 0


@pytest.mark.parametrize("trusted", ["", "192.0.2.1"])
def test_nobody_else_can_name_an_address(
    trusted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own, which this service does not follow
    with running_service(tmp_path, tmp_path / "log", api_keys=KEY, trusted_proxies=trusted) as service:
        assert guesses_until_slowed(service, "203.0.113.7") == MOST_GUESSES
        assert guesses_until_slowed(service, "203.0.113.8", most=1) == 0
        assert httpx.get(f"{service.client.base_url}/healthz").status_code == 200
