import pytest

from benchmarks.load.client_limit import client_limits
from benchmarks.load.objectives import Objectives
from benchmarks.load.plan import Plan
from benchmarks.load.samples import Columns, Samples
from benchmarks.load.summary import summarise

PLAN = Plan(url="http://service", seconds=10)


def seen(latencies_ms: list[float], outcome: str = "ok", wait_ms: float = 0) -> Samples:
    samples = Samples(late_ms=[0.1], cpu_share=0.5)
    for latency_ms in latencies_ms:
        samples.add(0, outcome, 1.0, latency_ms, wait_ms)
    return samples


def test_percentiles_are_measured_latencies() -> None:
    result = summarise(
        PLAN, [seen([float(ms) for ms in range(1, 501)]), seen([float(ms) for ms in range(501, 1_001)])]
    )
    assert result["latency_ms"] == {
        "mean": 500.5,
        "p50": 500,
        "p90": 900,
        "p95": 950,
        "p99": 990,
        "p99.9": 999,
        "max": 1_000,
    }
    assert result["requests_per_second"] == 100
    assert result["by_kind"].keys() == {"known"}


def test_latencies_exclude_refusals_and_include_timeouts() -> None:
    result = summarise(
        PLAN, [seen([5.0] * 8), seen([0.1], "503 overloaded"), seen([10_000.0], "ReadTimeout")]
    )
    assert result["latency_ms"]["p50"] == 5
    assert result["latency_ms"]["max"] == 10_000
    assert result["errors"] == {"503 overloaded": 1, "ReadTimeout": 1}
    assert result["error_rate"] == 0.2


def test_answers_after_the_end_are_not_in_the_rate() -> None:
    assert summarise(PLAN, [seen([5.0] * 10), seen([9_001.0] * 10)])["requests_per_second"] == 1


def test_a_service_that_refuses_everything_has_no_latency() -> None:
    result = summarise(PLAN, [seen([0.1], "503 overloaded")])
    assert result["latency_ms"] is None
    assert Objectives(p99_ms=1).missed(result) == ["p99 of at most 1 ms: no latency at all"]


def test_only_missed_objectives_are_reported() -> None:
    result = summarise(PLAN, [seen([5.0] * 10)])
    assert Objectives(p99_ms=5, max_error_rate=0, min_rps=1).missed(result) == []
    assert len(Objectives(p99_ms=4.9, min_rps=1.1).missed(result)) == 2


def limits(samples: Samples, rate: float | None = None) -> list[str]:
    plan = Plan(url="http://service", rate=rate)
    return client_limits(plan, [samples], Columns.of([samples]), 10.0)


def test_an_idle_client_is_not_the_limit() -> None:
    assert limits(seen([10.0] * 100), rate=10) == []


def test_a_client_that_is_the_limit_is_reported() -> None:
    busy, sleepy = seen([10.0] * 100), seen([10.0] * 100)
    busy.cpu_share = 0.97
    sleepy.late_ms = [3.0] * 100
    assert "97% of a core" in limits(busy)[0]
    assert "woke 3.0 ms late" in limits(sleepy)[0]
    [waiting] = limits(seen([10.0] * 100, wait_ms=5), rate=10)
    assert "100% of the requests" in waiting


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"processes": 17}, "--processes"),
        ({"connections": 5_000}, "--connections"),
        ({"seconds": 0.0}, "--seconds"),
        ({"rate": 0.0}, "--rate"),
        ({"mix": (1, 2)}, "--mix"),
        ({"mix": (0, 0, 0, 0)}, "--mix"),
    ],
)
def test_an_invalid_plan_is_refused_with_the_name_of_the_option(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Plan(url="http://service", **wrong)  # type: ignore[arg-type]  # one of many types


def test_connections_are_distributed_evenly() -> None:
    plan = Plan(url="http://service", connections=7, processes=3)
    assert [plan.connections_of(number) for number in range(3)] == [3, 2, 2]


def test_the_key_is_not_in_the_report() -> None:
    assert "secret" not in str(Plan(url="http://service", api_key="secret").to_document())
