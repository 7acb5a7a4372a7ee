"""`/docs` and who else's pages may ask."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from service_client import Ask, asking

from service.app import create_app
from service.settings import Settings

ELSEWHERE = "https://app.example"


def test_the_documentation_loads_nothing_from_elsewhere_and_runs_no_inline_script(ask: Ask) -> None:
    page = ask("GET", "/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 4
    for path in loaded:
        answer = ask("GET", f"/{path}")
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=", page.text)
    scripts = next(
        each for each in page.headers["content-security-policy"].split(";") if "script-src" in each
    )
    assert scripts.split() == ["script-src", "'self'"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


def test_what_it_shows_is_the_document(ask: Ask) -> None:
    assert 'url: "openapi.json"' in ask("GET", "/docs/start.js").text
    assert "/recommend" in ask("GET", "/openapi.json").json()["paths"]


@pytest.mark.parametrize("path", ["/docs/none.js", "/docs/..%2fapp.py", "/redoc", "/docs/oauth2-redirect"])
def test_it_has_no_other_file(path: str, ask: Ask) -> None:
    assert ask("GET", path).status_code == 404


def test_with_a_slash_at_its_end_it_is_where_its_links_lead(ask: Ask) -> None:
    for path, there in (("/docs/", "../docs"), ("/web/", "../")):
        answer = ask("GET", path)
        assert (answer.status_code, answer.headers["location"]) == (308, there)


def test_other_origins_may_not_ask_unless_they_are_listed(ask: Ask) -> None:
    headers = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "POST"}
    assert ask("OPTIONS", "/recommend", headers=headers).status_code == 405
    assert not [name for name in ask("GET", "/healthz", headers=headers).headers if "access-control" in name]


def test_an_origin_that_is_listed_may_ask_with_a_key(tiny_artifacts: Path) -> None:
    settings = Settings(artifacts=tiny_artifacts, cors_origins=ELSEWHERE, api_keys=SecretStr("a-key"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        wish = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-api-key",
        }
        before = ask("OPTIONS", "/recommend", headers={"Origin": ELSEWHERE} | wish)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == ELSEWHERE
        assert "POST" in before.headers["access-control-allow-methods"]
        assert "X-API-Key" in before.headers["access-control-allow-headers"]
        assert (
            ask("OPTIONS", "/recommend", headers={"Origin": "https://evil.example"} | wish).status_code == 400
        )

        sent = {"Origin": ELSEWHERE, "X-API-Key": "a-key"}
        answer = ask("POST", "/recommend", headers=sent, json={"user_id": "42"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, ELSEWHERE)
        refused = ask("POST", "/recommend", headers={"Origin": ELSEWHERE}, json={"user_id": "42"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ELSEWHERE)


@pytest.mark.parametrize(
    "origins", ["app.example", "https://app.example/", "https://a.example, https://b.example", "*,*"]
)
def test_what_is_no_list_of_origins_is_refused(origins: str) -> None:
    with pytest.raises(ValidationError):
        Settings(cors_origins=origins)
