import json
import multiprocessing
import threading
import time
from pathlib import Path

import pytest
from fake_service import fake_service

from benchmarks.load.client_process import run_process
from benchmarks.load.inventory import Inventory
from benchmarks.load.plan import Plan
from benchmarks.load.samples import Samples
from benchmarks.load_test import main
from matinee_client import MatineeClient

BRIEFLY = ["--seconds", "1", "--warm-up-seconds", "0.1", "--connections", "3"]


def run_here(plan: Plan) -> Samples:
    """Run a client process's function in a thread."""
    with MatineeClient(plan.url) as client:
        inventory = Inventory.of(client)
    here, there = multiprocessing.Pipe()
    thread = threading.Thread(target=run_process, args=(plan, inventory, 0, there))
    thread.start()
    here.recv()
    here.send(time.monotonic())
    while not isinstance(message := here.recv(), Samples):
        pass
    thread.join()
    return message


def test_several_processes_measure_a_service_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_service() as service:
        code = main([service.url, *BRIEFLY, "--processes", "2", "--json", "--out", str(tmp_path)])
    captured = capsys.readouterr()
    printed = json.loads(captured.out)
    assert code == 0
    assert printed["errors"] == {}
    assert 0 < printed["requests"] <= len(service.posted)  # the warm-up is not counted
    assert len(printed["client"]["cpu_share"]) == 2
    assert printed["bundle_id"] == "fake"
    assert json.loads((tmp_path / "load_test.json").read_text(encoding="utf-8")) == printed
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "latency.html").read_text(encoding="utf-8")
    assert "good answers/s" in captured.err


def test_errors_are_counted_by_kind_and_a_missed_objective_exits_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(count: int) -> str:
        return ("good", "busy", "malformed")[count % 3]

    objectives = ["--max-error-rate", "0.1", "--min-rps", "1e9", "--p99-ms", "0"]
    with fake_service(answer) as service:
        code = main([service.url, *BRIEFLY, "--processes", "1", "--json", *objectives])
    printed = json.loads(capsys.readouterr().out)
    assert code == 1
    assert printed["errors"].keys() == {"503 overloaded", "malformed answer"}
    assert printed["error_rate"] == pytest.approx(2 / 3, abs=0.1)
    assert len(printed["missed"]) == 3


def test_a_refused_connection_is_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with fake_service() as service:
        pass
    assert main([service.url, *BRIEFLY]) == 2
    assert "cannot be measured" in capsys.readouterr().out


def test_a_stall_delays_every_request_due_in_it() -> None:
    def answer(count: int) -> str:
        return "stall" if count == 40 else "good"

    with fake_service(answer) as service:
        plan = Plan(url=service.url, connections=2, processes=1, rate=100, warm_up_seconds=0, seconds=1.2)
        samples = run_here(plan)
    assert len(samples.latencies_ms) == 120  # all requests
    # 40 of the 50 requests due in the half second wait for at least 0.1 s.
    assert sum(latency > 100 for latency in samples.latencies_ms) >= 38
    assert sum(wait > 100 for wait in samples.waits_ms) >= 30


def test_requests_that_time_out_before_they_are_sent_are_errors() -> None:
    with fake_service(lambda _: "stall") as service:
        plan = Plan(
            url=service.url,
            connections=1,
            processes=1,
            rate=20,
            warm_up_seconds=0,
            seconds=1,
            timeout_seconds=0.7,
        )
        samples = run_here(plan)
    assert len(samples.outcomes) == 20
    never_sent = [place for place, outcome in enumerate(samples.outcomes) if outcome == "never sent"]
    assert len(never_sent) >= 10
    assert min(samples.latencies_ms[place] for place in never_sent) > 700
