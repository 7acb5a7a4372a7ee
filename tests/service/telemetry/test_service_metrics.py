import time
from dataclasses import replace

import pytest
from any_manifest import MANIFEST
from prometheus_text import value

from service.bundle.manifest import Manifest
from service.telemetry.metrics import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def text(telemetry: Telemetry) -> str:
    return telemetry.exposition("")[0].decode()


def manifest(bundle_id: str, created_utc: str) -> Manifest:
    return replace(MANIFEST, bundle_id=bundle_id, created_utc=created_utc)


def test_requests_are_counted_and_timed_by_method_route_and_status(telemetry: Telemetry) -> None:
    for seconds in (0.0015, 0.0025, 0.7):
        telemetry.request("GET", "/recommend", 200, seconds)
    telemetry.request("GET", "/recommend", 422, 0.001)
    labels = {"method": "GET", "route": "/recommend", "status": "200"}
    exposed = text(telemetry)
    assert value(exposed, "request_seconds_count", **labels) == 3
    assert value(exposed, "request_seconds_sum", **labels) == pytest.approx(0.704)
    assert value(exposed, "request_seconds_bucket", le="0.002", **labels) == 1
    assert value(exposed, "request_seconds_bucket", le="0.5", **labels) == 2
    assert value(exposed, "request_seconds_count", **labels | {"status": "422"}) == 1


def test_every_event_of_a_batch_is_counted(telemetry: Telemetry) -> None:
    telemetry.stage("embed", 0.0003)
    telemetry.batch("recommend", 16)
    telemetry.queue_wait(0.004)
    telemetry.fallback("exact")
    telemetry.served("popular", 10)
    telemetry.rejected("queue_full")
    exposed = text(telemetry)
    assert value(exposed, "stage_seconds_sum", stage="embed") == 0.0003
    assert value(exposed, "batch_size_sum", endpoint="recommend") == 16
    assert value(exposed, "batch_size_bucket", endpoint="recommend", le="8.0") == 0
    assert value(exposed, "queue_wait_seconds_sum") == 0.004
    assert value(exposed, "index_fallbacks_total", kind="exact") == 1
    assert value(exposed, "items_served_total", source="popular") == 10
    assert value(exposed, "requests_rejected_total", reason="queue_full") == 1


def test_what_has_not_happened_yet_is_0_and_not_missing(telemetry: Telemetry) -> None:
    exposed = text(telemetry)
    assert value(exposed, "requests_rejected_total", reason="deadline") == 0
    assert value(exposed, "items_served_total", source="history") == 0
    assert value(exposed, "stage_seconds_count", stage="rating") == 0


def test_the_live_bundle_is_shown_with_its_times(telemetry: Telemetry) -> None:
    before = time.time()
    telemetry.bundle_live(manifest("two", "2026-11-21T00:00:00Z"))
    exposed = text(telemetry)
    assert value(exposed, "bundle_info", bundle_id="two") == 1
    assert value(exposed, "bundle_created_timestamp_seconds", bundle_id="two") == 1795219200
    loaded = value(exposed, "bundle_loaded_timestamp_seconds", bundle_id="two")
    assert loaded is not None
    assert before <= loaded <= time.time()
    assert value(exposed, "bundle_loads_total") == 1


def test_a_refused_bundle_is_counted_by_its_error(telemetry: Telemetry) -> None:
    telemetry.bundle_refused("BundleCorrupt")
    assert value(text(telemetry), "bundle_refusals_total", reason="BundleCorrupt") == 1


@pytest.mark.parametrize("reason", ["NoBundle", "BundleCorrupt", "SizeDiffers", "BundleDisagrees"])
def test_a_refusal_is_there_to_rise_before_it_first_happens(telemetry: Telemetry, reason: str) -> None:
    assert value(text(telemetry), "bundle_refusals_total", reason=reason) == 0


def test_memory_and_processor_time_are_this_process_s(telemetry: Telemetry) -> None:
    telemetry.report_resources()
    first = value(text(telemetry), "worker_cpu_seconds_total", worker="1")
    telemetry.report_resources()
    exposed = text(telemetry)
    assert first is not None
    assert first <= (value(exposed, "worker_cpu_seconds_total", worker="1") or 0) <= time.process_time()
    assert 10e6 < (value(exposed, "worker_resident_bytes", worker="1") or 0) < 10e9


def test_open_metrics_is_chosen_by_the_accept_header(telemetry: Telemetry) -> None:
    body, content_type = telemetry.exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert telemetry.exposition("*/*")[1].startswith("text/plain")
