"""Write the measurements of a trial as a table into docs/deployment.md."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime

from deploy.trial.commands import REPOSITORY, run

_MARK = "test-docker"


class Report:
    """Collects the table's rows in order."""

    path = REPOSITORY / "docs" / "deployment.md"

    def __init__(self) -> None:
        self._rows: list[tuple[str, str]] = []
        self._load_average = os.getloadavg()[0]

    def add(self, what: str, found: str) -> None:
        """Append a row."""
        self._rows.append((what, found))

    def write(self) -> None:
        """Replace the table between the page's marks."""
        engine = run("docker", "version", "--format", "{{.Server.Version}}").strip()
        prometheus = run("prometheus", "--version").split()[2]
        machine = f"{platform.machine()}, {os.cpu_count()} cores; Docker {engine}; Prometheus {prometheus}"
        machine += f"; load average before it {self._load_average:.1f}"
        lines = [
            f"{datetime.now(UTC):%Y-%m-%d}, {machine}.",
            "",
            "| what | found |",
            "| --- | --- |",
            *(f"| {what} | {found} |" for what, found in self._rows),
        ]
        text = self.path.read_text(encoding="utf-8")
        table = "\n".join([f"<!-- {_MARK} -->", *lines, f"<!-- /{_MARK} -->"])
        marked = re.compile(f"<!-- {_MARK} -->.*<!-- /{_MARK} -->", re.DOTALL)
        self.path.write_text(marked.sub(lambda _: table, text), encoding="utf-8")
