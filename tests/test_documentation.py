"""The documentation lists all settings, endpoints and metrics."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from service_process import REPOSITORY

from service.app import create_app
from service.settings import Settings
from service.telemetry.metrics import Telemetry

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
_ROOMS = "training|service|benchmarks|deploy|tests|requirements"


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


def test_every_table_of_make_readme_figures_has_its_marks() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    written = re.findall(r"--split (\w+)(?: --preset (\w+))? --readme (\S+)", makefile)
    assert len(written) == 4
    for split, preset, page in written:
        mark = f"{split} {preset}".strip()
        assert f"<!-- {mark} -->" in (REPOSITORY / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_path_and_module_in_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    paths = set(re.findall(rf"(?<![\w/.-])(?:{_ROOMS})/[\w./-]*\w", text))
    missing = [path for path in paths if not (REPOSITORY / path).exists()]
    modules = set(re.findall(rf"python -m ((?:{_ROOMS})[\w.]*\w)", text))
    modules |= set(re.findall(r"`(training\.(?!yaml)[a-z_.]+?)(?:\.[A-Z]\w*)?`", text))
    missing += [module for module in modules if find_spec(module) is None]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_in_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
