"""Use of the service by several clients at once, who ask and post and count what fails."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import httpx

CLIENTS = 4


class Use:
    """Context manager of threads that click and ask in turn, each on a connection that it keeps.

    Args:
        url: Base URL of the service.
        user_id: Who clicks.
    """

    def __init__(self, url: str, user_id: str) -> None:
        self.requests = 0
        self.clicks = 0
        self.failures: list[str] = []
        self._url, self._user_id = url, user_id
        self._counting = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._use) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _use(self) -> None:
        clicked = {"user_id": self._user_id, "movie_id": "50", "type": "click"}
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._stop.is_set():
                self._ask(client, "POST", "/feedback", {"events": [clicked]})
                self._ask(client, "GET", f"/recommend?user_id={self._user_id}")
                time.sleep(0.01)

    def _ask(self, client: httpx.Client, method: str, path: str, body: object = None) -> None:
        try:
            answer = client.request(method, path, json=body)
            failure = "" if answer.is_success else f"{method} {path}: {answer.status_code} {answer.text}"
        except httpx.TransportError as error:
            failure = f"{method} {path}: {error!r}"
        with self._counting:
            self.requests += 1
            self.clicks += method == "POST" and not failure
            if failure:
                self.failures.append(failure)
