"""Dashboard and alerts query metrics that exist. `make test-docker` runs them on a real Prometheus."""

import json
import re
from typing import Any

import pytest
import yaml
from service_process import REPOSITORY

from service.telemetry.metrics import Telemetry

DEPLOY = REPOSITORY / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/dashboards/matinee.json").read_text("utf-8"))
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def series() -> set[str]:
    """Every series name that the service can expose."""
    names = set()
    for metric in Telemetry().registry.collect():
        endings = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
        names |= {metric.name + ending for ending in endings.get(metric.type, ("",))}
    return names


@pytest.mark.parametrize("expression", [*QUERIES, *(rule["expr"] for rule in ALERTS)])
def test_every_queried_metric_exists(expression: str) -> None:
    queried = set(re.findall(r"\bmatinee_\w+", expression))
    assert queried or 'up{job="matinee"}' in expression
    assert queried <= series()


def test_the_dashboard_shows_every_metric() -> None:
    shown = {name for query in QUERIES for name in re.findall(r"\bmatinee_\w+", query)}
    of_all = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    unshown = {metric.name for metric in Telemetry().registry.collect()} - {
        name.removesuffix("_total") for name in of_all
    }
    # The panel of loaded bundles shows the times of loading already.
    assert unshown == {"matinee_bundle_loaded_timestamp_seconds"}


def test_panels_have_distinct_titles_and_places() -> None:
    panels = DASHBOARD["panels"]
    for key in ("id", "title"):
        assert len({panel[key] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)


def test_panels_query_the_provisioned_source() -> None:
    provisioned = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8")
    )
    uid = provisioned["datasources"][0]["uid"]
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {uid}


def test_every_alert_is_in_the_runbook_and_tested() -> None:
    runbook = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    tested = (DEPLOY / "prometheus/alerts.test.yml").read_text(encoding="utf-8")
    for rule in ALERTS:
        assert f"| `{rule['alert']}` |" in runbook
        assert f'alertname="{rule["alert"]}"' in tested
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_replica_of_the_service_of_compose_is_scraped() -> None:
    prometheus = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text("utf-8"))
    [job] = prometheus["scrape_configs"]
    assert job["job_name"] == "matinee"
    [names] = job["dns_sd_configs"]
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))["services"]
    assert [services[name]["image"] for name in names["names"]] == ["matinee-service"]
    published = yaml.safe_load((REPOSITORY / "docker-compose.override.yml").read_text("utf-8"))["services"]
    assert published["service"]["ports"][0].endswith(f":{names['port']}")
