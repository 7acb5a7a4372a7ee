"""The report of a bundle in a browser."""

from typing import Literal

import pytest
from browser_page import overflow_px, violations
from playwright.sync_api import Browser

from training.report.report_page import report_page

pytestmark = pytest.mark.browser

METRICS = {
    "split": "temporal",
    "measured_utc": "2026-11-21T06:00:00Z",
    "train_ratings": 80,
    "test_ratings": 20,
    "model": {"ndcg_at_10": 0.2, "rmse": 0.9},
    "baselines": {"ease": {"ndcg_at_10": 0.1}, "biases": {"rmse": 1.0}},
    "differences": {"ease": {"ndcg_at_10": {"difference": 0.1, "low": 0.05, "high": 0.2}}},
    "losses": {"loss": [3.0, 2.0, 1.5], "rating_loss": [0.3, 0.2, 0.1]},
    "shipped": {"losses": {"loss": [3.0, 2.0, 1.4]}},
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_report_fits_the_window_and_is_accessible(
    width: int, scheme: Literal["light", "dark"], browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.set_content(report_page("20261121T060000Z-b", METRICS))
    assert overflow_px(page) == 0
    assert violations(page) == []
    context.close()
