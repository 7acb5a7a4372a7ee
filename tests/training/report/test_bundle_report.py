import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from training.evaluation.comparison import AGAINST, compare
from training.report.bundle_report import write_report

RETRIEVAL = {
    "hit_rate_at_10": 0.1,
    "hit_rate_at_50": 0.25,
    "hit_rate_at_100": 0.5,
    "ndcg_at_10": 0.12345,
    "recall_at_20": 0.0,
    "top_100_accuracy": 0.3,
}


SHIPPED = {"seed": 42, "losses": {"loss": [2.0, 1.0]}}


def metrics(ease: dict[str, float] | None) -> dict[str, Any]:
    with_time = {"top_100_accuracy_with_time": 0.4, "hit_rate_at_100_with_time": 0.6}
    return {
        "split": "temporal",
        "measured_utc": "2026-11-21T06:00:00Z",
        "train_ratings": 80_000,
        "test_ratings": 20_000,
        "model": RETRIEVAL | {"rmse": 0.95} | with_time,
        "baselines": {"popularity": RETRIEVAL, "ease": ease, "biases": {"rmse": 1.0}},
    }


class Cells(HTMLParser):
    """The text of a page's cells, and whether every tag was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 its name
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th", "strong"}:
            self.cells.append(data)


def test_the_page_has_the_table_and_says_what_was_measured(tmp_path: Path) -> None:
    write_report(tmp_path / "report", "bundle-<1>", metrics(ease=RETRIEVAL), SHIPPED)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    parsed = Cells(page)
    assert parsed.open == []
    comparison = compare(metrics(ease=RETRIEVAL))
    expected = [[title, *(cell.text for cell in cells)] for title, cells in comparison.rows.items()]
    assert parsed.cells == [*comparison.header, AGAINST, *(text for row in expected for text in row)]
    assert "20,000 held-out ratings after training on 80,000" in " ".join(page.split())
    assert "bundle-&lt;1&gt;" in page
    assert "bundle-<1>" not in page


@pytest.mark.parametrize("measured_or_not", [None, metrics(ease=None)])
def test_the_numbers_are_there_for_machines(tmp_path: Path, measured_or_not: dict[str, Any] | None) -> None:
    write_report(tmp_path / "report", "bundle", measured_or_not, SHIPPED)
    found = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert found == {**(measured_or_not or {}), "shipped": SHIPPED}


def test_what_was_not_measured_is_not_made_up(tmp_path: Path) -> None:
    write_report(tmp_path / "report", "bundle", None, SHIPPED)
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "not measured" in page
    assert Cells(page).cells == []
