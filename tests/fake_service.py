"""Fake service that answers at once, or with the errors that a test needs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOVIE = {"title": "Alien (1979)", "display_title": "Alien", "genres": ["Horror"], "year": 1979}
ITEM = {**MOVIE, "rank": 1, "movie_id": "1", "score": 1.0, "rank_score": 1.0, "predicted_rating": 4.0}
GET: dict[str, dict[str, Any]] = {
    "/users": {
        "total": 2,
        "items": [{"user_id": name, "num_movies": 1, "mean_rating": 4.0} for name in ("ann", "bob")],
    },
    "/popular": {
        "total": 3,
        "items": [
            {**MOVIE, "movie_id": movie_id, "num_ratings": 1, "mean_rating": 4.0, "score": 0.5}
            for movie_id in "123"
        ],
    },
    "/genres": {"items": [{"genre": "Horror", "num_movies": 3}]},
}
POST: dict[str, dict[str, Any]] = {
    "/recommend": {
        "user_id": "ann",
        "source": "personalized",
        "items": [{**ITEM, "source": "personalized"}],
    },
    "/predict_rating": {
        "user_id": "ann",
        "movie_id": "1",
        "title": "Alien (1979)",
        "display_title": "Alien",
        "predicted_rating": 4.0,
        "known_user": True,
    },
}
BUSY = {"type": "urn:matinee:overloaded", "title": "Overloaded", "status": 503, "detail": "too many wait"}


@dataclass
class FakeService:
    """A running fake service; `posted` are the bodies received."""

    url: str
    posted: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def fake_service(answer: Callable[[int], str] = lambda _: "good") -> Iterator[FakeService]:
    """Run a fake service on a free port.

    Args:
        answer: Maps the number of earlier POSTs to the kind of answer: `good`, `busy` (503), `malformed`, or
            `stall`, which delays all requests for half a second.
    """
    fake = FakeService("")
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send(200, {"bundle_id": "fake", **GET[self.path.partition("?")[0]]})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with one_at_a_time:
                kind = answer(len(fake.posted))
                fake.posted.append(body)
                if kind == "stall":
                    time.sleep(0.5)
            status = 503 if kind == "busy" else 200
            answers = {"busy": BUSY, "malformed": {}}
            self.send(status, answers.get(kind, {"bundle_id": "fake", **POST[self.path]}))

        def send(self, status: int, document: dict[str, Any]) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

        wbufsize = -1  # headers and body in one packet

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield fake
        server.shutdown()
