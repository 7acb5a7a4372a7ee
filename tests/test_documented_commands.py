"""Every documented command line is one that the command takes; the quick ones run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from documented_commands import PAGES, SOURCES, command_lines, mentions, parse, unknown_words
from service_process import REPOSITORY, service_environment
from synthetic_ratings import two_clusters, write_csv

LINES = sorted({line for page in PAGES for line in command_lines(page)})
QUICK = ("--help", "inspect ", "list", "hyperparameters", "serve --help")


@pytest.mark.parametrize("line", LINES)
def test_a_documented_line_is_read_by_its_command(line: str) -> None:
    parse(line)


def test_most_commands_are_documented() -> None:
    assert {"fit", "evaluate", "tune", "inspect", "score", "serve", "store"} <= {
        each.split()[0] for each in LINES
    }


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_what_a_page_a_help_or_a_message_names_is_there(path: Path) -> None:
    assert [(line, wrong) for line in mentions(path) if (wrong := unknown_words(line))] == []


def test_every_documented_target_of_make_is_there() -> None:
    targets = set(
        re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for path in (*PAGES, *SOURCES):
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text))
        assert named <= targets, path


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith(QUICK)])
def test_a_quick_one_runs(line: str, tmp_path: Path) -> None:
    (tmp_path / "path" / "to").mkdir(parents=True)
    write_csv(two_clusters(per_user=6, with_features=False), tmp_path / "path" / "to" / "ratings")
    ended = subprocess.run(
        f"{sys.executable} -m matinee {line}",
        shell=True,
        cwd=tmp_path,
        env=service_environment(tmp_path) | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def test_a_wrong_line_would_be_found() -> None:
    for line in ("fit --date x", "serve --prot 1", "store copy FROM", "experiments depth --outputs out"):
        with pytest.raises((typer.TyperException, SystemExit)):
            parse(line)
    assert unknown_words("fit --evalute none") == ["--evalute"]
    assert unknown_words("fitt") == ["fitt"]
    assert unknown_words("serve --prot 1") == ["--prot"]
