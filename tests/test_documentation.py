"""The documentation lists all settings, endpoints and metrics."""

import re

from service_process import REPOSITORY

from service.app import create_app
from service.settings import Settings
from service.telemetry.metrics import Telemetry


def test_every_setting_is_documented_with_its_default() -> None:
    text = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"| `MATINEE_{name.upper()}` | `{field.default}` |" in text


def test_every_endpoint_is_documented() -> None:
    documented = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    paths = create_app(Settings()).openapi()["paths"]
    assert paths
    for path in paths:
        assert path in documented


def test_every_metric_is_documented_and_no_other() -> None:
    text = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(matinee_\w+)` \|", text, re.MULTILINE))
    registered = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in Telemetry().registry.collect()
    }
    assert documented == registered


def test_the_readme_names_both_commands_and_the_citation() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "$ make serve" in text
    assert "$ make test" in text
    assert "10.1145/2827872" in text
