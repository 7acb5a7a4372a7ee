"""Log lines of requests and events, one for each, as JSON or as text for people.

Never in a line: a key, a body, a value of a query string, a path (which may hold a user's id), a user's id.
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

from service.settings import LogFormat, LogLevel
from service.telemetry.log_lines import LogLines

PROBES = frozenset(("/healthz", "/readyz"))
"""Routes that an orchestrator polls; 503 is their answer while a bundle loads, and no error."""

request_id_in_context: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request being worked on, which every record logged for it carries."""

STAGE = {"is_stage": True}
"""The `extra` of a record that shows at a terminal how far the start is."""

_quoted = lru_cache(maxsize=1024)(json.dumps)
_LEVEL_NAMES = {logging.INFO: "info", logging.ERROR: "error"}


class Answered(NamedTuple):
    """What is logged of one request.

    Attributes:
        request_id: Sent by the client, or made for the request.
        method: HTTP method.
        route: The route's template, never the path.
        status: HTTP status of the answer; 499 where the request ended without one.
        seconds: From the request's headers to the last byte of the answer.
        bundle_id: Of the bundle that answered; None where none was needed, or there was none.
    """

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    bundle_id: str | None

    @property
    def level(self) -> int:
        """ERROR from status 500 on, except for the 503 of a probe."""
        is_error = self.status >= 500 and not (self.status == 503 and self.route in PROBES)
        return logging.ERROR if is_error else logging.INFO


class TextFormatter(logging.Formatter):
    """Format log records as text for people, and requests without the cost of a record.

    Args:
        worker: This process's number; 0 for the parent of several workers.
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
        """A record's line, without a newline, of a stage its words; a traceback on the lines after it."""
        if getattr(record, "is_stage", False):
            return record.getMessage()
        line = f"{self.time(record.created)} {record.levelname} {record.name}: {record.getMessage()}"
        if request_id := request_id_in_context.get():
            line += f" ({request_id})"
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")

    def format_request(self, answered: Answered) -> str:
        """A request's line, with its newline."""
        request_id, method, route, status, seconds, bundle_id = answered
        level = _LEVEL_NAMES[answered.level].upper()
        return (
            f"{self.time(time.time())} {level} service.request: {method} {route} {status} "
            f"{seconds * 1000:.3f} ms {bundle_id or '-'} ({request_id})\n"
        )


class JsonFormatter(TextFormatter):
    """Format log records and requests as one JSON object a line."""

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

    def format_request(self, answered: Answered) -> str:
        """Formatted by hand: `json.dumps` of a dictionary costs several times as much."""
        request_id, method, route, status, seconds, bundle_id = answered
        quoted_id = f'"{request_id}"' if request_id.isalnum() else json.dumps(request_id)
        return (
            f'{{"time": "{self.time(time.time())}", "level": "{_LEVEL_NAMES[answered.level]}", '
            f'"logger": "service.request", "message": "answered", "worker": {self._worker}, '
            f'"request_id": {quoted_id}, "method": {_quoted(method)}, '
            f'"route": {_quoted(route)}, "status": {status}, '
            f'"duration_ms": {seconds * 1000:.3f}, "bundle_id": {_quoted(bundle_id)}}}\n'
        )


class Log:
    """Everything that this process logs, written by a thread of its own.

    Args:
        level: Least severe level that is written.
        log_format: Of every line.
        worker: This process's number; 0 for the parent of several workers.
        dropped: Counts lines that were dropped because they came faster than they were read.
        has_probes: Whether requests to `PROBES` are written that are no errors.
    """

    def __init__(
        self,
        level: LogLevel,
        log_format: LogFormat,
        *,
        worker: int,
        dropped: Callable[[int], None],
        has_probes: bool = True,
    ) -> None:
        self._unwritten_routes = frozenset[str]() if has_probes else PROBES
        self._formatter = _formatter(log_format, worker)
        self._lines = LogLines(sys.stdout.fileno(), self._report, dropped)
        self._level = _configure(logging.StreamHandler(self._lines), level, self._formatter)

    def answered(self, answered: Answered) -> None:
        """Write the line of one request."""
        level = answered.level
        if level >= self._level and (answered.route not in self._unwritten_routes or level >= logging.ERROR):
            self._lines.write(self._formatter.format_request(answered))

    def stop(self) -> None:
        """Write out what waits, see `LogLines.stop`."""
        self._lines.stop()

    def _report(self, dropped: int) -> str:
        message = f"{dropped} lines were dropped here: they came faster than they were read"
        record = logging.LogRecord(__name__, logging.WARNING, "", 0, message, (), None)
        return f"{self._formatter.format(record)}\n"


def log_directly(level: LogLevel, log_format: LogFormat, *, worker: int) -> None:
    """Have log records written by the thread that logs, for a process that must have no other thread."""
    _configure(logging.StreamHandler(sys.stdout), level, _formatter(log_format, worker))


def _formatter(log_format: LogFormat, worker: int) -> TextFormatter:
    return JsonFormatter(worker) if log_format == "json" else TextFormatter(worker)


def _configure(handler: logging.Handler, level: LogLevel, formatter: TextFormatter) -> int:
    """The level as a number of the standard library's."""
    number = logging.getLevelNamesMapping()[level.upper()]
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    logging.captureWarnings(capture=True)
    return number
