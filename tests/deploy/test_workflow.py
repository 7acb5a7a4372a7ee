import re
from typing import Any

import yaml
from service_process import REPOSITORY

WORKFLOW: dict[str, Any] = yaml.safe_load((REPOSITORY / ".github/workflows/ci.yml").read_text("utf-8"))


def test_every_job_ends_in_a_make_target_that_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for job in WORKFLOW["jobs"].values():
        found = re.fullmatch(r"make ([a-z-]+) PYTHON=python", job["steps"][-1]["run"])
        assert found
        assert re.search(rf"^{found[1]}:", makefile, re.MULTILINE)


def test_every_python_that_the_package_supports_is_tested() -> None:
    pyproject = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'requires-python = ">=3.11,<3.14"' in pyproject
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
