"""Fixtures: a browser, a service, and pages whose errors fail the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_page import OpenPage, opening
from markup_titles import with_markup
from playwright.sync_api import Browser, expect, sync_playwright
from service_process import ServiceProcess, running_service

_CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
# Root has no sandbox; the rest keeps Chromium from connecting to other hosts.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("no Chromium (Debian: apt-get install chromium-headless-shell), and CHROMIUM names none")
    expect.set_options(timeout=15_000)  # for a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(
    browser: Browser,  # noqa: ARG001 starts nothing without a browser
    tiny_artifacts: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServiceProcess]:
    """Serve the tiny bundle with titles that are markup or, if PICTURES_OF names artifacts, those."""
    directory = tmp_path_factory.mktemp("browser")
    pictured = os.environ.get("PICTURES_OF")
    artifacts = Path(pictured) if pictured else with_markup(tiny_artifacts, directory / "artifacts")
    with running_service(artifacts, directory / "log") as service:
        service.wait_until_ready()
        yield service


@pytest.fixture
def open_page(browser: Browser, service: ServiceProcess) -> Iterator[OpenPage]:
    """Open pages of the service; at the end fail on errors, and on requests to other hosts."""
    with opening(browser, str(service.client.base_url)) as open_page:
        yield open_page
