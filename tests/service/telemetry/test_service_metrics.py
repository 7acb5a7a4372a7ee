import time
from types import SimpleNamespace
from typing import cast

import pytest
from prometheus_text import samples, value

from service.recommending.recommender import Recommender
from service.telemetry.metrics import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def text(telemetry: Telemetry) -> str:
    return telemetry.exposition("")[0].decode()


def recommender_of(bundle_id: str, created_utc: str) -> Recommender:
    manifest = SimpleNamespace(created_utc=created_utc)
    return cast("Recommender", SimpleNamespace(bundle_id=bundle_id, manifest=manifest))


def test_requests_are_counted_and_timed_by_method_route_and_status(telemetry: Telemetry) -> None:
    for seconds in (0.0015, 0.0025, 0.7):
        telemetry.request("GET", "/recommend", 200, seconds)
    telemetry.request("GET", "/recommend", 422, 0.001)
    labels = {"method": "GET", "route": "/recommend", "status": "200"}
    told = text(telemetry)
    assert value(told, "request_seconds_count", **labels) == 3
    assert value(told, "request_seconds_sum", **labels) == pytest.approx(0.704)
    assert value(told, "request_seconds_bucket", le="0.002", **labels) == 1
    assert value(told, "request_seconds_bucket", le="0.5", **labels) == 2
    assert value(told, "request_seconds_count", **labels | {"status": "422"}) == 1


def test_what_an_observer_is_told_is_counted(telemetry: Telemetry) -> None:
    telemetry.stage("embed", 0.0003)
    telemetry.batch("recommend", 16)
    telemetry.queue_wait(0.004)
    telemetry.fallback("exact")
    telemetry.served("popular", 10)
    telemetry.rejected("queue_full")
    told = text(telemetry)
    assert value(told, "stage_seconds_sum", stage="embed") == 0.0003
    assert value(told, "batch_size_sum", endpoint="recommend") == 16
    assert value(told, "batch_size_bucket", endpoint="recommend", le="8.0") == 0
    assert value(told, "queue_wait_seconds_sum") == 0.004
    assert value(told, "index_fallbacks_total", kind="exact") == 1
    assert value(told, "items_served_total", source="popular") == 10
    assert value(told, "requests_rejected_total", reason="queue_full") == 1


def test_what_has_not_happened_yet_is_0_and_not_missing(telemetry: Telemetry) -> None:
    told = text(telemetry)
    assert value(told, "requests_rejected_total", reason="deadline") == 0
    assert value(told, "items_served_total", source="history") == 0
    assert value(told, "stage_seconds_count", stage="rating") == 0


def test_only_the_live_bundle_is_shown_with_its_times(telemetry: Telemetry) -> None:
    telemetry.bundle_live(recommender_of("one", "2026-11-20T00:00:00Z").manifest)
    before = time.time()
    telemetry.bundle_live(recommender_of("two", "2026-11-21T00:00:00Z").manifest)
    told = text(telemetry)
    assert value(told, "bundle_info", bundle_id="two") == 1
    assert value(told, "bundle_created_timestamp_seconds", bundle_id="two") == 1795219200
    loaded = value(told, "bundle_loaded_timestamp_seconds", bundle_id="two")
    assert loaded is not None
    assert before <= loaded <= time.time()
    assert not [labels for _, labels in samples(told) if ("bundle_id", "one") in labels]
    assert value(told, "bundle_loads_total") == 2


def test_a_bundle_that_is_taken_up_again_is_shown(telemetry: Telemetry) -> None:
    for bundle_id in ("one", "two", "one"):
        telemetry.bundle_live(recommender_of(bundle_id, "2026-11-20T00:00:00Z").manifest)
    assert value(text(telemetry), "bundle_info", bundle_id="one") == 1


def test_a_refused_bundle_is_counted_by_its_error(telemetry: Telemetry) -> None:
    telemetry.bundle_refused("BundleCorrupt")
    assert value(text(telemetry), "bundle_refusals_total", reason="BundleCorrupt") == 1


@pytest.mark.parametrize("reason", ["NoBundle", "BundleCorrupt", "SizeDiffers", "BundleDisagrees"])
def test_a_refusal_is_there_to_rise_before_it_first_happens(telemetry: Telemetry, reason: str) -> None:
    assert value(text(telemetry), "bundle_refusals_total", reason=reason) == 0


def test_memory_and_processor_time_are_this_process_s(telemetry: Telemetry) -> None:
    telemetry.looked()
    first = value(text(telemetry), "worker_cpu_seconds_total", worker="1")
    telemetry.looked()
    told = text(telemetry)
    assert first is not None
    assert first <= (value(told, "worker_cpu_seconds_total", worker="1") or 0) <= time.process_time()
    assert 10e6 < (value(told, "worker_resident_bytes", worker="1") or 0) < 10e9


def test_open_metrics_is_spoken_to_who_asks_for_it(telemetry: Telemetry) -> None:
    body, content_type = telemetry.exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert telemetry.exposition("*/*")[1].startswith("text/plain")
