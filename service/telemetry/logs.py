"""What the service writes about itself, one line for each event, as JSON or as text for people.

Never a key, a body, a value of a query string, a path (which may hold a user's id) or a user's id.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple

from service.settings import Settings
from service.telemetry.log_lines import LogLines

request_id_in_context: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request being worked on, which everything logged for its sake carries."""

_quoted = lru_cache(maxsize=1024)(json.dumps)


class Answered(NamedTuple):
    """What is told of one request.

    Attributes:
        request_id: Sent with it, or made for it.
        method: Of HTTP.
        route: The route's template, never the path.
        status: Of the answer; 499 where nobody waited for it any more.
        seconds: It took.
        bundle_id: What answered; None where no bundle was needed, or there was none.
    """

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    bundle_id: str | None


class Lines(logging.Formatter):
    """Records of the standard library's logging as lines for people, and a quick way to one for each request.

    Args:
        worker: This process's number; 0 for the one that watches over workers.
    """

    def __init__(self, worker: int) -> None:
        super().__init__()
        self._worker = worker
        self._this_second = (0, "")

    def time(self, seconds: float) -> str:
        """ISO 8601 in UTC with milliseconds; the costly part is made once a second."""
        second = int(seconds)
        known, text = self._this_second
        if second != known:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._this_second = (second, text)
        return f"{text}.{int((seconds - second) * 1000):03d}Z"

    def format(self, record: logging.LogRecord) -> str:
        """A record's line, without a newline; a traceback on the lines after it."""
        line = f"{self.time(record.created)} {record.levelname} {record.name}: {record.getMessage()}"
        if request_id := request_id_in_context.get():
            line += f" ({request_id})"
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")

    def answered(self, level: str, answered: Answered) -> str:
        """A request's line, with its newline."""
        request_id, method, route, status, seconds, bundle_id = answered
        return (
            f"{self.time(time.time())} {level.upper()} service.request: {method} {route} {status} "
            f"{seconds * 1000:.3f} ms {bundle_id or '-'} ({request_id})\n"
        )


class JsonLines(Lines):
    """The same for programs: one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """A record's line, without a newline; `exception` holds the traceback."""
        fields: dict[str, object] = {
            "time": self.time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "worker": self._worker,
        }
        if request_id := request_id_in_context.get():
            fields["request_id"] = request_id
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)

    def answered(self, level: str, answered: Answered) -> str:
        """Put together by hand: `json.dumps` of a dictionary costs several times as much."""
        request_id, method, route, status, seconds, bundle_id = answered
        return (
            f'{{"time": "{self.time(time.time())}", "level": "{level}", "logger": "service.request", '
            f'"message": "answered", "worker": {self._worker}, "request_id": {json.dumps(request_id)}, '
            f'"method": {_quoted(method)}, "route": {_quoted(route)}, "status": {status}, '
            f'"duration_ms": {seconds * 1000:.3f}, "bundle_id": {_quoted(bundle_id)}}}\n'
        )


def log_directly(settings: Settings, *, worker: int) -> None:
    """Has the standard library's logging write by itself, for a process that may have no other thread."""
    _configure(settings, logging.StreamHandler(sys.stdout), _lines(settings, worker))


class Log:
    """All that this process writes, from its start to its end.

    Args:
        settings: Form and least level of what is written.
        worker: This process's number; 0 for the one that watches over workers.
        dropped: Is told how many lines nobody took away in time.
    """

    def __init__(self, settings: Settings, *, worker: int, dropped: Callable[[int], None]) -> None:
        self._lines = _lines(settings, worker)
        self._out = LogLines(sys.stdout.fileno(), self._report, dropped)
        level = _configure(settings, _Handler(self._out), self._lines)
        self._least_status = 0 if level <= logging.INFO else 500 if level <= logging.ERROR else 600

    def answered(self, answered: Answered) -> None:
        """Writes the line of one request."""
        if answered.status >= self._least_status:
            level = "info" if answered.status < 500 else "error"
            self._out.write(self._lines.answered(level, answered))

    def stop(self) -> None:
        """Writes out what waits, unless nobody takes it."""
        self._out.stop()

    def _report(self, dropped: int) -> str:
        message = f"{dropped} lines were dropped here: they came faster than they were read"
        record = logging.LogRecord(__name__, logging.WARNING, "", 0, message, (), None)
        return f"{self._lines.format(record)}\n"


class _Handler(logging.Handler):
    def __init__(self, out: LogLines) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._out.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 as every handler of the standard library does
            self.handleError(record)


def _lines(settings: Settings, worker: int) -> Lines:
    return JsonLines(worker) if settings.log_format == "json" else Lines(worker)


def _configure(settings: Settings, handler: logging.Handler, lines: Lines) -> int:
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler.setFormatter(lines)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    return level
