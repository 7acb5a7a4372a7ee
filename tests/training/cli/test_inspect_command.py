"""`inspect` in processes of its own, as a person runs it."""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from service_process import REPOSITORY

Ended = subprocess.CompletedProcess[str]


def run(*arguments: str | Path) -> Ended:
    """Runs a command of training; fails if it imports TensorFlow."""
    code = (
        "import sys\nfrom training.cli.command_line import main\n"
        "try: main()\nfinally: assert not {'tensorflow', 'keras'} & set(sys.modules), 'TensorFlow!'"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def timed(start: Callable[[], Ended]) -> tuple[Ended, float]:
    """Runs a process to its end; what came of it, and the processor seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = start()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(
        "User,ISBN,Stars\na,1,0\na,2,8\nb,1,9\nb,3,0\nc,1,0\n", encoding="utf-8"
    )
    (tmp_path / "books.csv").write_text("ISBN,Book-Title\n1,One\n2,Two\n3,Three\n", encoding="utf-8")
    return tmp_path


def test_it_shows_how_files_are_read_and_how_to_train(data: Path) -> None:
    ended = run("inspect", data, "--columns", "rating=stars")
    assert ended.returncode == 0, ended.stderr
    out = ended.stdout
    assert "comma-separated, UTF-8" in out
    for cells in (
        ["user", "User"],
        ["item", "ISBN"],
        ["rating", "Stars", "numbers"],
        ["title", "Book-Title"],
    ):
        assert any(all(cell in line for cell in cells) for line in out.splitlines()), cells
    assert "0 to 9" in out
    assert "60% of the ratings are 0" in out
    assert "--not-rated 0" in out
    assert out.endswith(f"Train with:\n  matinee fit --data {data} --columns rating=stars\n")
    assert ended.stderr == ""


def test_it_prints_one_json_object_if_wanted(data: Path) -> None:
    ended = run("inspect", data, "--json", "--not-rated", "0")
    document = json.loads(ended.stdout)
    assert document["files"][0] == {
        "name": "ratings.csv",
        "purpose": "ratings",
        "format": "comma-separated, UTF-8",
        "columns": [
            {"role": "user", "column": "User", "read_as": ""},
            {"role": "item", "column": "ISBN", "read_as": ""},
            {"role": "rating", "column": "Stars", "read_as": "numbers, 3 watches without one"},
        ],
    }
    assert (document["ratings"], document["rated"], document["scale"]) == (5, 2, [8, 9])
    assert document["command"] == f"matinee fit --data {data} --not-rated 0"


@pytest.mark.parametrize("command", [["inspect"], ["fit", "--data"], ["evaluate", "--data"]])
def test_a_missing_column_is_said_at_once_and_without_tensorflow(command: list[str], data: Path) -> None:
    (data / "ratings.csv").write_text("who,ISBN,Stars\na,1,0\n", encoding="utf-8")
    ended, processor_seconds = timed(lambda: run(*command, data))
    assert ended.returncode == 2
    assert "error: " in ended.stderr
    assert "ratings.csv: expected a column for user, got the columns who ('a'); ISBN ('1')" in ended.stderr
    assert "AssertionError" not in ended.stderr
    libraries = [sys.executable, "-c", "import numpy, pyarrow.compute, pyarrow.csv, pydantic, typer"]
    _, of_libraries = timed(lambda: subprocess.run(libraries, text=True, check=True))
    assert processor_seconds < 5 * of_libraries  # about 2 times; TensorFlow alone takes 15


def test_all_wrong_rows_are_listed(data: Path) -> None:
    (data / "ratings.csv").write_text("user,ISBN,Stars\na,1,x\n,1,3\nb,1\nc,1,5\n", encoding="utf-8")
    with (data / "books.csv").open("a", encoding="utf-8") as books:
        books.write("1,Other\n")
    ended = run("fit", "--data", data)
    assert ended.returncode == 2
    head, *rows = ended.stderr.splitlines()[1:]
    assert head == "error: 4 rows cannot be read; correct them, or leave them out with --skip-bad-rows"
    assert [row.split(": ")[0].strip().removeprefix(f"{data}/") for row in rows] == [
        "ratings.csv line 4",
        "ratings.csv line 3",
        "ratings.csv line 2",
        "books.csv line 5",
    ]
    inspected = run("inspect", data, "--skip-bad-rows", "--json")
    document = json.loads(inspected.stdout)
    assert (document["rows"], document["skipped"], document["items"]) == (1, 4, 3)
    assert len(document["left_out"]) == 4


def test_a_named_source_is_refused() -> None:
    ended = run("inspect", "auto")
    assert ended.returncode == 2
    assert "inspect: expected a path, got auto" in ended.stderr
