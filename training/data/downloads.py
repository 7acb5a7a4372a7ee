"""Keeps the downloads of tfds from hanging: it retries ten times and sets no time limit of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import requests
from requests import adapters


class _ImpatientAdapter(adapters.HTTPAdapter):
    """Sends once; gives up when nothing has come for a while, neither an answer nor more of its body.

    Args:
      patience_seconds: how long that while is.
    """

    def __init__(self, patience_seconds: float) -> None:
        super().__init__(max_retries=0)
        self._patience_seconds = patience_seconds

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override] # passed on as it came
        """Sends a request, and waits for the head of the answer.

        Raises:
          requests.RequestException: it did not come in time, or not at all.
        """
        # A time limit of requests covers neither the look-up of a name nor the sum over a host's addresses;
        # hence the thread. A daemon, so that one stuck in a look-up does not hold the process back.
        options["timeout"] = self._patience_seconds
        outcome: queue.SimpleQueue[requests.Response | Exception] = queue.SimpleQueue()
        ask = partial(self._put_outcome, outcome, request, options)
        threading.Thread(target=ask, name="download", daemon=True).start()
        try:
            answer = outcome.get(timeout=self._patience_seconds)
        except queue.Empty:
            raise requests.ConnectTimeout(
                f"no answer in {self._patience_seconds:g} s", request=request
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
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            outcome.put(error)


@contextmanager
def impatient_downloads(patience_seconds: float) -> Iterator[None]:
    """Within it whatever tfds downloads is given up after a while without progress, and not tried again.

    Args:
      patience_seconds: how long that while is.
    """
    ordinary = adapters.HTTPAdapter
    # tfds makes its adapters through this name and passes nothing but how often to retry.
    adapters.HTTPAdapter = lambda max_retries: _ImpatientAdapter(patience_seconds)  # type: ignore[misc,assignment]  # noqa: ARG005 the patience stands for them
    try:
        yield
    finally:
        adapters.HTTPAdapter = ordinary  # type: ignore[misc] # put back
