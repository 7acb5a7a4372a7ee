import re
from typing import Any
from xml.etree import ElementTree as ET

from training.report import comparison_rows
from training.report_page import report_page


def test_the_best_is_bold_and_a_baseline_that_wins_is_named() -> None:
    rows = [["", "Matinee", "biases"], ["NDCG@10", "0.2", "0.3"], ["RMSE, stars", "0.9", "1.0"]]
    metrics = {"split": "random", "train_ratings": 1, "test_ratings": 1}
    page = report_page("b", metrics, rows)
    assert re.findall(r"<strong>(.*?)</strong>", page) == ["0.3", "0.9"]
    assert re.findall(r"<p>([^<]*beats[^<]*)</p>", page) == ["NDCG@10: biases beats Matinee."]


def test_charts_are_xml_and_a_title_is_no_markup(measured: dict[str, Any]) -> None:
    example = {"user_id": "<b>", "history": [{"title": "<script>", "stars": 4.0}], "recommended": []}
    metrics = measured | {"analysis": measured["analysis"] | {"examples": [example]}}
    page = report_page("b", metrics, comparison_rows(metrics))
    charts = re.findall(r"<svg.*?</svg>", page)
    assert len(charts) == len(measured["losses"]) + 4
    assert all(ET.fromstring(chart) is not None for chart in charts)  # noqa: S314 our own
    assert "&lt;script&gt;" in page
    assert "User &lt;b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
