"""The recipes of docs/operations.md to back up and restore, run by bash as they are printed."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from service_client import asking
from service_process import REPOSITORY
from tiny_bundle import seal

from service.app import create_app
from service.bundle.current import go_live, roll_back
from service.settings import Settings

PAGE = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Back up, restore, upgrade\n")[2].partition("\n## ")[0]
BACK_UP, RESTORE = re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)[:2]
NIGHTS = [(date(2026, 2, 24) + timedelta(days=n)).isoformat() for n in range(10)]


def run(recipe: str, directory: Path, day: str) -> None:
    programs = directory.parent / "programs"
    programs.mkdir(exist_ok=True)
    for name, script in {"matinee": f'exec {sys.executable} -m matinee "$@"', "date": f"echo {day}"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    lines = [
        line.removeprefix("$ ") for line in recipe.splitlines() if not line.startswith("$ matinee serve")
    ]
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],  # noqa: S607 wherever it is
        cwd=directory,
        env=os.environ
        | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(REPOSITORY), "DAY": day},
        check=True,
        timeout=120,
    )


@pytest.mark.parametrize("with_previous", [True, False])
def test_each_night_has_a_backup_seven_stay_and_one_is_restored(
    artifacts: Path, tmp_path: Path, *, with_previous: bool
) -> None:
    home = tmp_path / "home"
    (home / "store").mkdir(parents=True)
    if with_previous:
        seal(Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")))
        go_live(artifacts, "tiny-2")
    shutil.move(artifacts, home / "artifacts")
    settings = Settings(artifacts=home / "artifacts", store=str(home / "store" / "feedback.sqlite3"))

    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        watch = {"user_id": "ann", "movie_id": "m1", "type": "watch"}
        assert ask("POST", "/feedback", json={"events": [watch]}).json()["stored"] == 1
        for night in NIGHTS[:8]:
            (home / "backup" / night).mkdir(parents=True)
            (home / "backup" / night / "store.sqlite3").write_text("of an earlier night", encoding="utf-8")
        run(BACK_UP, home, NIGHTS[8])
        ask("DELETE", "/users/42")
        run(BACK_UP, home, NIGHTS[9])
    kept = sorted(path.name for path in (home / "backup").iterdir())
    assert kept == [*NIGHTS[3:], "forgotten.txt"]

    for lost in ("artifacts", "store"):
        shutil.rmtree(home / lost)
    run(RESTORE, home, NIGHTS[8])
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        assert ask("GET", "/users/ann/feedback").json()["total"] == 1
        assert ask("GET", "/users/42").status_code == 404  # of the newer list
    if with_previous:
        assert roll_back(home / "artifacts") == "tiny-1"
