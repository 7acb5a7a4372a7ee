"""Run Prometheus with the repository's configuration and send it the dashboard's queries."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from deploy.trial.commands import REPOSITORY, run, wait_for
from deploy.trial.stack import free_port

_CONFIGURATION = REPOSITORY / "deploy" / "prometheus"
_DASHBOARD = REPOSITORY / "deploy" / "grafana" / "dashboards" / "matinee.json"


class Prometheus:
    """Context manager of a `prometheus` process found on the path.

    Args:
        directory: For its configuration and data.
        targets: Host and port of each replica, instead of their name in Compose's network.
    """

    def __init__(self, directory: Path, *targets: str) -> None:
        self._directory = directory
        self._num_targets = len(targets)
        configuration = directory / "configuration"
        shutil.copytree(_CONFIGURATION, configuration)
        self._file = configuration / "prometheus.yml"
        settings = yaml.safe_load(self._file.read_text(encoding="utf-8"))
        [job] = settings["scrape_configs"]
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [*targets]}]
        self._file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._address = f"127.0.0.1:{free_port()}"
        self._client = httpx.Client(base_url=f"http://{self._address}/api/v1", timeout=30)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={self._file}",
                f"--storage.tsdb.path={self._directory / 'data'}",
                f"--web.listen-address={self._address}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for("Prometheus", self._scraped, seconds=60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait()

    def query(self, expression: str) -> list[float]:
        """Values of an instant query, without NaN."""
        answer = self._client.get("/query", params={"query": expression}).raise_for_status().json()
        values = [float(each["value"][1]) for each in answer["data"]["result"]]
        return [value for value in values if not math.isnan(value)]

    def firing(self) -> set[str]:
        """Names of firing alerts."""
        alerts: list[dict[str, Any]] = self._client.get("/alerts").raise_for_status().json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def rules(self) -> dict[str, str]:
        """Health of each alert rule by name, `ok` if Prometheus evaluates it."""
        [group] = self._client.get("/rules").raise_for_status().json()["data"]["groups"]
        return {rule["name"]: rule["health"] for rule in group["rules"]}

    def _scraped(self) -> bool | None:
        try:
            return len(self.query('up{job="matinee"} == 1')) == self._num_targets or None
        except httpx.HTTPError:
            return None


def check_configuration() -> None:
    """Check configuration and rules with `promtool`, and run the rules' tests.

    Raises:
        TrialFailed: A check or test fails.
    """
    run("promtool", "check", "config", str(_CONFIGURATION / "prometheus.yml"))
    run("promtool", "check", "rules", str(_CONFIGURATION / "alerts.yml"))
    run("promtool", "test", "rules", str(_CONFIGURATION / "alerts.test.yml"))


def dashboard_queries() -> dict[str, str]:
    """Every query of the dashboard by panel, with a rate interval of 30 s."""
    panels = json.loads(_DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return {
        f"{panel['title']}, {target['refId']}": target["expr"].replace("$__rate_interval", "30s")
        for panel in panels
        for target in panel["targets"]
    }
