"""Lines of requests and events, formatted and as a process writes them."""

import json
import logging
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_process import REPOSITORY

from service.settings import LogLevel
from service.telemetry.logs import Answered, JsonFormatter, Log, TextFormatter, request_id_in_context

ANSWERED = Answered('a"b\\c', "GET", "/movies/{movie_id}", 200, 0.0012345, "tiny-1")


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if error else None
    made = logging.LogRecord("service.x", logging.WARNING, "x.py", 1, message, arguments, info)
    made.created = 1795219200.0625
    return made


def test_a_json_line_is_one_object_with_every_field() -> None:
    line = JsonFormatter(2).format_request(ANSWERED)
    assert line.count("\n") == 1
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "info",
        "logger": "service.request",
        "message": "answered",
        "worker": 2,
        "request_id": 'a"b\\c',
        "method": "GET",
        "route": "/movies/{movie_id}",
        "status": 200,
        "duration_ms": 1.234,
        "bundle_id": "tiny-1",
    }


def test_no_bundle_is_null() -> None:
    line = JsonFormatter(1).format_request(ANSWERED._replace(bundle_id=None))
    assert json.loads(line)["bundle_id"] is None


def test_an_event_is_an_object_too_with_the_request_it_belongs_to() -> None:
    token = request_id_in_context.set("mine")
    fields = json.loads(JsonFormatter(1).format(record("two\nlines %s", "\ud800")))
    request_id_in_context.reset(token)
    assert fields == {
        "time": "2026-11-21T00:00:00.062Z",
        "level": "warning",
        "logger": "service.x",
        "message": "two\nlines \ud800",
        "worker": 1,
        "request_id": "mine",
    }
    assert "request_id" not in json.loads(JsonFormatter(1).format(record("later")))


@pytest.mark.parametrize("formatter", [JsonFormatter(1), TextFormatter(1)])
def test_an_error_comes_with_its_traceback(formatter: TextFormatter) -> None:
    try:
        1 // 0  # noqa: B018 raises
    except ZeroDivisionError:
        line = formatter.format(record("failed", error=True))
    assert "Traceback" in line
    assert "ZeroDivisionError: integer" in line


def test_text_is_for_people() -> None:
    formatter = TextFormatter(1)
    line = formatter.format_request(ANSWERED)
    assert line.endswith(' INFO service.request: GET /movies/{movie_id} 200 1.234 ms tiny-1 (a"b\\c)\n')
    assert formatter.format(record("hello")) == "2026-11-21T00:00:00.062Z WARNING service.x: hello"


@pytest.fixture
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, show = root.handlers, root.level, warnings.showwarning
    yield
    logging.captureWarnings(capture=False)
    root.handlers, warnings.showwarning = handlers, show
    root.setLevel(level)


ENDED = [
    ANSWERED._replace(route=route, status=status)
    for route, status in (
        ("/healthz", 200),
        ("/readyz", 503),
        ("/healthz", 503),
        ("/readyz", 500),
        ("/recommend", 404),
        ("/recommend", 503),
        ("/recommend", 500),
        ("unmatched", 499),
    )
]


def levels_written(
    level: LogLevel, capture: pytest.CaptureFixture[str], *, has_probes: bool = True
) -> list[str]:
    log = Log(level, "json", worker=1, dropped=lambda _: None, has_probes=has_probes)
    for each in ENDED:
        log.answered(each)
    log.stop()
    lines = [json.loads(line) for line in capture.readouterr().out.splitlines()]
    return [f"{line['level']} {line['route']} {line['status']}" for line in lines]


@pytest.mark.usefixtures("_restored_logging")
def test_a_status_from_500_on_is_an_error_but_not_the_503_of_a_probe(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert levels_written("info", capfd) == [
        "info /healthz 200",
        "info /readyz 503",
        "info /healthz 503",
        "error /readyz 500",
        "info /recommend 404",
        "error /recommend 503",
        "error /recommend 500",
        "info unmatched 499",
    ]


@pytest.mark.usefixtures("_restored_logging")
def test_probes_can_be_left_out_alone_but_for_their_errors(capfd: pytest.CaptureFixture[str]) -> None:
    assert levels_written("info", capfd, has_probes=False) == [
        "error /readyz 500",
        "info /recommend 404",
        "error /recommend 503",
        "error /recommend 500",
        "info unmatched 499",
    ]


@pytest.mark.usefixtures("_restored_logging")
@pytest.mark.parametrize("level", ["warning", "error"])
def test_above_info_only_errors_are_written(level: LogLevel, capfd: pytest.CaptureFixture[str]) -> None:
    assert levels_written(level, capfd) == [
        "error /readyz 500",
        "error /recommend 503",
        "error /recommend 500",
    ]


@pytest.mark.usefixtures("_restored_logging")
def test_above_error_no_request_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    assert levels_written("critical", capfd) == []


def test_events_of_python_s_logging_go_to_the_same_lines() -> None:
    script = """if True:
        import logging, warnings
        from service.telemetry.logs import Log
        log = Log("warning", "json", worker=3, dropped=print)
        logging.getLogger("service.a").info("too little")
        logging.getLogger("service.b").error("enough")
        warnings.warn("of a library")
        log.stop()
    """
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    first, second = map(json.loads, ended.stdout.splitlines())
    assert (first["logger"], first["level"], first["message"], first["worker"]) == (
        *("service.b", "error", "enough"),
        3,
    )
    assert (second["logger"], second["level"]) == ("py.warnings", "warning")
    assert "of a library" in second["message"]


def test_several_processes_share_a_pipe_without_mixing_lines(tmp_path: Path) -> None:
    script = tmp_path / "writer.py"
    script.write_text(
        "import sys\n"
        "from service.telemetry.logs import Answered, Log\n"
        "log = Log('info', 'json', worker=int(sys.argv[1]), dropped=print)\n"
        "for number in range(3000):\n"
        "    route = '/' + 'x' * (number % 900)\n"
        "    log.answered(Answered(str(number), 'GET', route, 200, 0.0, None))\n"
        "log.stop()\n",
        encoding="utf-8",
    )
    shell = " ".join(f'"$0" "$1" {worker} &' for worker in (1, 2, 3)) + " wait"
    with subprocess.Popen(
        ["/bin/sh", "-c", shell, sys.executable, str(script)],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    ) as writers:
        assert writers.stdout is not None
        first = writers.stdout.readline()
        time.sleep(0.5)  # so that the pipe is full, and writes of more than a pipe keeps together are cut
        lines = [json.loads(line) for line in (first, *writers.stdout)]
    for worker in (1, 2, 3):
        ids = [int(line["request_id"]) for line in lines if line["worker"] == worker]
        assert ids == list(range(3000))
