"""Timeouts for downloads of tfds, which sets none and retries ten times."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from requests import adapters


class _TimeoutAdapter(adapters.HTTPAdapter):
    """HTTP adapter with a timeout for each step of a request, and without retries.

    Args:
        timeout_seconds: Longest time without progress.
    """

    def __init__(self, timeout_seconds: float) -> None:
        super().__init__(max_retries=0)
        self._timeout_seconds = timeout_seconds

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override] # options are passed on
        """Send a request, and wait for the head of the response.

        Raises:
            requests.RequestException: It did not arrive in time, or not at all.
        """
        # The timeout of requests covers neither the DNS lookup nor the sum over a host's addresses; hence the
        # thread. A daemon, so that one stuck in a lookup does not keep the process alive.
        options["timeout"] = self._timeout_seconds
        outcome: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()
        send = partial(self._put_outcome, outcome, request, options)
        threading.Thread(target=send, name="download", daemon=True).start()
        try:
            answer = outcome.get(timeout=self._timeout_seconds)
        except queue.Empty:
            raise requests.ConnectTimeout(
                f"no response in {self._timeout_seconds:g} s", request=request
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _put_outcome(
        self,
        outcome: queue.SimpleQueue[requests.Response | Exception],
        request: requests.PreparedRequest,
        options: dict[str, Any],
    ) -> None:
        try:
            outcome.put(super().send(request, **options))
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            outcome.put(error)


@contextmanager
def downloads_with_timeout(timeout_seconds: float) -> Iterator[None]:
    """Make downloads of tfds fail after a time without progress, without retries.

    Args:
        timeout_seconds: Longest time without progress.
    """
    ordinary = adapters.HTTPAdapter
    # tfds makes its adapters through this name and passes only the number of retries.
    adapters.HTTPAdapter = lambda max_retries: _TimeoutAdapter(timeout_seconds)  # type: ignore[misc,assignment]  # noqa: ARG005 there are none
    try:
        yield
    finally:
        adapters.HTTPAdapter = ordinary  # type: ignore[misc] # restored
