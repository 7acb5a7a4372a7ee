"""`report/`: pages for people about the model of a bundle; the service only sends them."""

from __future__ import annotations

REPORT_DIRECTORY = "report"
REPORT_PAGE = f"{REPORT_DIRECTORY}/index.html"
