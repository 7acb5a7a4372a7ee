from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from tiny_model import USER_IDS

from training.cli import command_line


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `python -m training score` in this process: exit code, standard output, standard error."""

    def run(*arguments: str | Path) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["python -m training", "score", *map(str, arguments)])
        try:
            command_line.main()
        except SystemExit as ended:
            code = ended.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_all_users_of_the_live_bundle_are_scored(run: Any, tiny_artifacts: Path, tmp_path: Path) -> None:
    output = tmp_path / "lists.parquet"
    code, said, progress = run(output, "--artifacts", tiny_artifacts, "-k", "3", "--users-per-part", "3")
    assert code == 0, progress
    assert said == f"{output}: 24 rows of 8 users, by tiny-1\n"
    assert "8 of 8 users" in progress
    assert pyarrow.parquet.read_table(output)["user"].unique().to_pylist() == USER_IDS


def test_users_of_a_list_are_scored_by_a_named_bundle(run: Any, tiny_artifacts: Path, tmp_path: Path) -> None:
    output, users = tmp_path / "lists.parquet", tmp_path / "users.txt"
    users.write_text("ab\nnobody\n42\n", encoding="utf-8")
    code, said, progress = run(output, "--bundle", tiny_artifacts / "tiny-1", "--users", users)
    assert code == 0, progress
    assert said == f"{output}: 200 rows of 2 users, by tiny-1\n"
    assert "left out 1 that the bundle does not know ('nobody')" in progress
    assert pyarrow.parquet.read_table(output)["user"].unique().to_pylist() == ["ab", "42"]


def test_without_a_bundle_nothing_is_scored(run: Any, tmp_path: Path) -> None:
    code, _, progress = run(tmp_path / "lists.parquet", "--artifacts", tmp_path)
    assert code == 1
    assert "CURRENT: cannot be read" in progress
    assert "matinee fit" in progress


def test_a_damaged_bundle_is_not_scored(run: Any, artifacts: Path, tmp_path: Path) -> None:
    (artifacts / "tiny-1" / "candidates.npy").write_bytes(b"")
    code, _, progress = run(tmp_path / "lists.parquet", "--artifacts", artifacts)
    assert code == 1
    assert "candidates.npy: expected" in progress


@pytest.mark.ray
@pytest.mark.timeout(240)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")
def test_workers_of_a_cluster_write_the_same(run: Any, tiny_artifacts: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    assert run(here, "--artifacts", tiny_artifacts, "--users-per-part", "3")[0] == 0
    code, _, progress = run(there, "--artifacts", tiny_artifacts, "--users-per-part", "3", "--workers", "2")
    assert code == 0, progress
    assert there.read_bytes() == here.read_bytes()
