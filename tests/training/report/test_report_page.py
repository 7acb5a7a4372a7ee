import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from training.evaluation.baseline_evaluation import Baseline
from training.evaluation.seeds import mean_of_runs
from training.evaluation.split_evaluation import Evaluation
from training.report.report_page import report_page

SVG = "{http://www.w3.org/2000/svg}"


def test_the_best_is_bold_and_where_a_baseline_wins_words_say_so() -> None:
    metrics = {
        "split": "random",
        "measured_utc": "2026-11-21T06:00:00Z",
        "train_ratings": 1,
        "test_ratings": 1,
        "model": {"ndcg_at_10": 0.2, "rmse": 0.9},
        "baselines": {"<b>": {"ndcg_at_10": 0.3, "rmse": 1.0}},
        "differences": {
            "<b>": {
                "ndcg_at_10": {"difference": -0.1, "low": -0.2, "high": -0.05},
                "rmse": {"difference": -0.1, "low": -0.2, "high": -0.05},
            }
        },
    }
    page = report_page("b", metrics)
    assert re.findall(r"<strong>(.*?)</strong>", page) == ["0.3000", "0.9000"]
    assert "<td>&lt;b&gt; -0.1000 [-0.2000, -0.0500]</td>" in page
    loss = "Matinee loses to &lt;b&gt; at NDCG@10 by 0.1000 (0.2000 against 0.3000)."
    assert re.findall(r"<p>([^<]*loses[^<]*)</p>", page) == [loss]


def chart_of(page: str, title: str) -> ET.Element:
    charts = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]  # noqa: S314 ours
    [found] = [chart for chart in charts if chart.attrib["aria-label"] == title]
    return found


def test_the_calibration_curves_are_what_was_predicted_and_what_was_true(measured: dict[str, Any]) -> None:
    """Read back from the page: the lowest value, 1 star, is at the bottom of the axes, 5 stars at the top."""
    bins = [
        {"rows": 1, "predicted": predicted, "true": true}
        for predicted, true in ((1.0, 2.0), (3.0, 4.0), (5.0, 1.0))
    ]
    page = report_page("b", measured | {"analysis": measured["analysis"] | {"calibration": bins}})
    chart = chart_of(page, "Calibration of predicted stars")
    stars = {
        line.findtext(f"{SVG}title"): [
            1 + 4 * (190 - float(point.split(",")[1])) / (190 - 48) for point in line.attrib["points"].split()
        ]
        for line in chart.iter(f"{SVG}polyline")
    }
    assert stars == {"predicted": pytest.approx([1, 3, 5]), "true": pytest.approx([2, 4, 1], abs=0.01)}
    labels = [text.text for text in chart.iter(f"{SVG}text")]
    assert [label for label in labels if label in {"1", "2", "3", "4", "5"}][:5] == list("12345")


def test_charts_are_xml_and_a_title_is_no_markup(measured: dict[str, Any]) -> None:
    movie = {"title": "<script>", "genres": ["<i>"], "stars": 4.0}
    example = {"user_id": "<b>", "history": [movie], "recommended": [movie | {"watched": True}]}
    cold_start = example | {"user_id": None}
    page = report_page(
        "b",
        measured
        | {"analysis": measured["analysis"] | {"examples": [example, cold_start]}}
        | {"shipped": {"losses": measured["losses"]}},
    )
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    # Losses of two trainings, three figures of what is held out, four of the analysis.
    assert len(charts) == 2 * len(measured["losses"]) + 3 + 4
    assert all(ET.fromstring(chart) is not None for chart in charts)  # noqa: S314 our own
    assert page.count("&lt;script&gt;") == 4
    assert "User &lt;b&gt;" in page
    assert "A cold-start user, who" in page
    assert "✓" in page
    assert not re.search(r"<(script|i|link|img|iframe)\b", page)
    assert not re.search(r"(https?:)?//|url\(|@import", page.replace("http://www.w3.org/2000/svg", ""))


def test_everything_that_evaluate_measured_is_on_the_page(
    measured: dict[str, Any], evaluation: Evaluation, baselines: dict[str, Baseline | None]
) -> None:
    model = measured["model"]
    point = {name: 0.1 for name in model if not name.endswith("_with_time")}
    sent = [{"ratings": given, **point} for given in (0, 1, 3)]
    cold_start = {"users": 12, "test_ratings": 345, "first": sent, "latest": sent}
    again = replace(evaluation, document=evaluation.document | {"seed": 4})
    evaluated = mean_of_runs([evaluation, again], baselines) | {
        "cold_start": cold_start,
        "index": {"trees": 16, "search_k": 1000, "recall_at_10": 0.9912, "recall_at_100": 0.9987},
        "ablation": {"joint": model, "without <history>": model},
    }
    evaluated["known_users"] = {name: evaluated[name] for name in ("model", "baselines", "differences")}
    evaluated["known_users"]["users"] = 1_234
    other = evaluated | {"split": "random", "cold_start": None}
    page = " ".join(report_page("b", evaluated | {"other_splits": {"random": other}}).split())
    for text in (
        *("Temporal split", "Random split", "Mean of the seeds 3, 4", "deviation", "345 held-out ratings"),
        *("Cold start: hit rate@100", "first sent", "latest sent", "no user with ten training ratings"),
        *("The 1,234 users with training ratings", "99.12%", "99.87%", "without &lt;history&gt;"),
        *("Lists of ten", "Gini of recommendations", "diversity of a list&#39;s genres"),
    ):
        assert text in page
    assert "Not measured of this data" not in page


def test_what_evaluate_has_not_measured_is_named(measured: dict[str, Any]) -> None:
    page = report_page("b", measured)
    assert "cold start and recall of the index; what each part is worth; the other splits" in page
    assert "matinee evaluate" not in page  # visitors have no shell


def test_the_page_leads_back_and_says_what_its_words_mean(measured: dict[str, Any]) -> None:
    page = report_page("b", measured)
    assert '<a href="./">' in page
    defined = re.findall(r"<dt>(.*?)</dt><dd>(.+?)</dd>", page)
    assert {"baseline", "hit rate@K", "NDCG@10", "RMSE", "cold-start user"} <= {term for term, _ in defined}
    assert "measured 21 November 2026, 06:00 UTC" in report_page(
        "b", measured | {"measured_utc": "2026-11-21T06:00:00Z"}
    )
