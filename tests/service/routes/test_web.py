"""The page as it is sent; tests/browser tries it in a browser."""

import re
from pathlib import Path

import pytest
from service_client import Ask, asking
from tiny_bundle import seal

from service.app import create_app
from service.http.web_files import WEB_DIRECTORY
from service.settings import Settings

FILES = sorted(WEB_DIRECTORY.iterdir())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
HTML = (WEB_DIRECTORY / "index.html").read_text(encoding="utf-8")


def policy(answer_policy: str) -> dict[str, list[str]]:
    directives = (directive.split() for directive in answer_policy.split(";"))
    return {name: values for name, *values in directives}


def test_the_page_is_under_80_kb_before_compression() -> None:
    assert 0 < sum(path.stat().st_size for path in FILES) < 80_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_visitors_read_no_words_of_the_trade(path: Path) -> None:
    trade = r"\b(tastes?|embeddings?|candidates?|cold[ -]start|overlay|tombstones?)\b"
    assert not re.search(trade, path.read_text(encoding="utf-8"), re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(
        "http://www.w3.org/2000/svg", ""
    )  # a name, not an address
    assert not re.search(r"https?:|wss?:|[\"'(]//", text)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_elements_of_text_or_keeps_anything_but_the_account(path: Path) -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|cookie|sessionStorage"
    )
    if path.name != "outbox.js":
        forbidden += r"|Storage\b"
    assert not re.search(forbidden, path.read_text(encoding="utf-8"))


def test_the_page_has_no_inline_script_or_style() -> None:
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", HTML)
    scripts = re.findall(r"<script[^>]*>[^<]*", HTML)
    assert scripts
    assert all(" src=" in script and script.endswith(">") for script in scripts)


def test_every_file_that_is_named_is_there_and_every_file_is_named() -> None:
    named = set(re.findall(r"(?:src|href)=\"web/([^\"]+)\"", HTML))
    for script in SCRIPTS:
        named |= set(re.findall(r"from \"\./([^\"]+)\"", script.read_text(encoding="utf-8")))
    assert named | {"index.html"} == {path.name for path in FILES}


@pytest.mark.parametrize("path", ["/", *(f"/web/{path.name}" for path in FILES)])
def test_every_file_is_sent_with_a_policy_that_forbids_inline_script(path: str, ask: Ask) -> None:
    answer = ask("GET", path)
    assert answer.status_code == 200
    assert answer.content == (WEB_DIRECTORY / (path.rpartition("/")[2] or "index.html")).read_bytes()
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    directives = policy(answer.headers["content-security-policy"])
    assert directives["default-src"] == directives["frame-ancestors"] == directives["base-uri"] == ["'none'"]
    for sources in ("script-src", "style-src", "img-src", "connect-src"):
        assert directives[sources] == ["'self'"]
    assert directives["require-trusted-types-for"] == ["'script'"]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/", "text/html"), ("/web/page.js", "text/javascript"), ("/web/style.css", "text/css")],
)
def test_files_have_their_media_type(path: str, media_type: str, ask: Ask) -> None:
    assert ask("GET", path).headers["content-type"] == f"{media_type}; charset=utf-8"


def test_a_browser_that_has_a_file_is_told_so(ask: Ask) -> None:
    first = ask("GET", "/web/style.css")
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        again = ask("GET", "/web/style.css", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert ask("GET", "/web/style.css", headers={"If-None-Match": '"other"'}).status_code == 200
    assert ask("GET", "/web/page.js").headers["etag"] != tag


def test_the_page_answers_head(ask: Ask) -> None:
    answer = ask("HEAD", "/", headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(HTML.encode())


@pytest.mark.parametrize("path", ["/web/none.js", "/web/..%2Fapp.py", "/web/%2e%2e/app.py", "/web/a/b"])
def test_no_other_file_is_sent(path: str, ask: Ask) -> None:
    answer = ask("GET", path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_the_page_is_sent_while_there_is_no_bundle(tmp_path: Path) -> None:
    with asking(create_app(Settings(artifacts=tmp_path))) as ask:
        assert ask("GET", "/").status_code == 200
        assert ask("GET", "/report").status_code == 503


def test_a_bundle_without_a_report_is_404(ask: Ask) -> None:
    answer = ask("GET", "/report")
    assert answer.status_code == 404
    assert "tiny-1 has no report" in answer.json()["detail"]


def test_the_report_of_the_live_bundle_is_sent_and_may_run_nothing(artifacts: Path) -> None:
    page = artifacts / "tiny-1" / "report" / "index.html"
    page.parent.mkdir()
    page.write_text("<!doctype html><title>é</title>", encoding="utf-8")
    seal(artifacts / "tiny-1")
    with asking(create_app(Settings(artifacts=artifacts), wait_for_bundle=True)) as ask:
        answer = ask("GET", "/report")
        assert (answer.status_code, answer.text) == (200, "<!doctype html><title>é</title>")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        directives = policy(answer.headers["content-security-policy"])
        assert directives["default-src"] == ["'none'"]
        assert "sandbox" in directives
        assert "script-src" not in directives
        assert ask("GET", "/report", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
