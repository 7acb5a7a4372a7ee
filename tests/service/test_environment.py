import re
import subprocess

import pytest
from service_process import REPOSITORY

from service.environment import known_variables, unknown_variables


def test_every_variable_that_a_file_of_the_repository_names_is_known() -> None:
    # Not of tests, where some are misspelt.
    files = subprocess.run(
        ["git", "ls-files", "--", ":!tests", ":!CHANGELOG.md"],  # noqa: S607 git is on the path
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    named = set()
    for file in files:
        if (path := REPOSITORY / file).suffix not in {".png", ".ico", ".woff2"} and path.is_file():
            named |= set(re.findall(r"\bMATINEE_[A-Z][A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    assert len(named) > 40
    assert unknown_variables(named) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MATINEE_WORKER", "MATINEE_WORKERS"),
        ("MATINEE_RELOAD_SECS", "MATINEE_RELOAD_SECONDS"),
        ("MATINEE_ARTEFACTS", "MATINEE_ARTIFACTS"),
    ],
)
def test_a_misspelt_variable_gets_the_nearest_name(name: str, meant: str) -> None:
    assert unknown_variables([name, "HOME", meant]) == [
        f"{name}: no such variable, did you mean {meant}?; correct it, or unset it"
    ]


def test_one_that_is_near_to_none_is_refused_too() -> None:
    [line] = unknown_variables(["MATINEE_XYZZY"])
    assert "docs/settings.md" in line


def test_links_of_kubernetes_to_services_are_no_settings() -> None:
    links = ["MATINEE_SERVICE_HOST", "MATINEE_SERVICE_PORT_HTTP", "MATINEE_PORT_80_TCP_ADDR"]
    assert unknown_variables([*links, "MATINEE_STORE_PORT", "MATINEE_STORE_PORT_5432_TCP"]) == []
    assert "MATINEE_PORT" in known_variables()
