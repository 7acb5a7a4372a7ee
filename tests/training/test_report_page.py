import re
from typing import Any
from xml.etree import ElementTree as ET

from training.report_page import report_page


def test_the_best_is_bold_and_where_a_baseline_wins_words_say_so() -> None:
    metrics = {
        "split": "random",
        "train_ratings": 1,
        "test_ratings": 1,
        "model": {"ndcg_at_10": 0.2, "rmse": 0.9},
        "baselines": {"<b>": {"ndcg_at_10": 0.3, "rmse": 1.0}},
    }
    page = report_page("b", metrics)
    assert re.findall(r"<strong>(.*?)</strong>", page) == ["0.3000", "0.9000"]
    loss = "Matinee loses to &lt;b&gt; at NDCG@10 by 0.1000 (0.2000 against 0.3000)."
    assert re.findall(r"<p>([^<]*loses[^<]*)</p>", page) == [loss]


def test_charts_are_xml_and_a_title_is_no_markup(measured: dict[str, Any]) -> None:
    example = {"user_id": "<b>", "history": [{"title": "<script>", "stars": 4.0}], "recommended": []}
    metrics = measured | {"analysis": measured["analysis"] | {"examples": [example]}}
    page = report_page("b", metrics)
    charts = re.findall(r"<svg.*?</svg>", page)
    assert len(charts) == len(measured["losses"]) + 4
    assert all(ET.fromstring(chart) is not None for chart in charts)  # noqa: S314 our own
    assert "&lt;script&gt;" in page
    assert "User &lt;b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
