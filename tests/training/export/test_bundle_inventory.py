"""Existing bundles, through the commands that list, verify, remove and roll them back."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from any_manifest import MANIFEST
from service_process import REPOSITORY
from tiny_bundle import seal

from service.bundle.current import CURRENT_FILE, PREVIOUS_FILE, go_live
from service.bundle.manifest import MANIFEST_FILE
from training.cli import command_line
from training.errors import ExportError
from training.export.bundle_inventory import TRAINING_LOCK, sole_training

HOLD = """
import sys, time
from pathlib import Path
from training.export.bundle_inventory import sole_training
with sole_training(Path(sys.argv[1])):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Six bundles of six days; `b1` is live and `b2` was before."""
    for day in range(1, 7):
        directory = tmp_path / f"b{day}"
        directory.mkdir()
        (directory / "a.npy").write_bytes(bytes(day))
        dataset = {"name": "days", "ratings": 1000 * day}
        seal(directory, MANIFEST, created_utc=f"2025-01-0{day}T00:00:00Z", dataset=dataset)
    go_live(tmp_path, "b2")
    go_live(tmp_path, "b1")
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `python -m training` in this process: exit code and everything printed."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["python -m training", *map(str, arguments)])
        handler = signal.getsignal(signal.SIGTERM)
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        signal.signal(signal.SIGTERM, handler)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out + captured.err

    monkeypatch.setenv("COLUMNS", "200")
    return run


def names(artifacts: Path) -> list[str]:
    return sorted(path.name for path in artifacts.iterdir())


def test_list_shows_the_newest_first_and_what_is_live(run: Any, artifacts: Path) -> None:
    (artifacts / "b3" / MANIFEST_FILE).write_text("{}", encoding="utf-8")
    (artifacts / "evaluation").mkdir()
    (artifacts / ".building-b7-1").mkdir()
    code, printed = run("list", "--artifacts", artifacts)
    assert code == 0
    order = [word for line in printed.splitlines() for word in line.split() if word in names(artifacts)]
    assert order == ["b6", "b5", "b4", "b2", "b1", "b3"]
    [live] = [line for line in printed.splitlines() if " live " in line]
    [previous] = [line for line in printed.splitlines() if " previous " in line]
    assert " b1 " in live
    assert " b2 " in previous
    assert "1,000" in live
    assert "schema_version" in printed


def test_prune_keeps_the_newest_the_live_and_the_previous_one(run: Any, artifacts: Path) -> None:
    assert run("prune", "--keep", "3", "--artifacts", artifacts) == (0, "removed b3\n")
    assert names(artifacts) == [CURRENT_FILE, PREVIOUS_FILE, "b1", "b2", "b4", "b5", "b6"]
    assert run("prune", "--artifacts", artifacts) == (0, "nothing to remove\n")
    assert run("prune", "--keep", "1", "--artifacts", artifacts)[0] == 0
    assert names(artifacts) == [CURRENT_FILE, PREVIOUS_FILE, "b1", "b2", "b6"]
    assert run("prune", "--keep", "0", "--artifacts", artifacts)[0] == 2


def refuse_for(artifacts: Path, name: str, reason: str) -> None:
    """Make a bundle one that was refused."""
    directory = artifacts / name
    (directory / MANIFEST_FILE).unlink()
    metrics = {"split": "global", "model": {"hit_rate_at_100": 0.25}, "refused": reason}
    created = f"2025-01-0{name[1]}T00:00:00Z"
    seal(directory, MANIFEST, created_utc=created, dataset={"name": "days", "ratings": 1}, metrics=metrics)


def test_list_shows_measures_and_why_a_bundle_was_refused(run: Any, artifacts: Path) -> None:
    refuse_for(artifacts, "b5", "it is worse")
    code, printed = run("list", "--artifacts", artifacts)
    assert code == 0
    [refused] = [line for line in printed.splitlines() if " b5 " in line]
    for text in ("refused", "global", "0.2500", "it is worse"):
        assert text in refused


def test_prune_counts_only_bundles_that_can_be_served(run: Any, artifacts: Path) -> None:
    """`b6` is refused and newer than the live `b4`, `b2` refused and older; `b5`'s manifest is broken."""
    refuse_for(artifacts, "b6", "it is worse")
    refuse_for(artifacts, "b2", "it was worse")
    (artifacts / "b5" / MANIFEST_FILE).write_text("{}", encoding="utf-8")
    go_live(artifacts, "b4")
    assert run("prune", "--keep", "3", "--artifacts", artifacts)[0] == 0
    assert names(artifacts) == [CURRENT_FILE, PREVIOUS_FILE, "b1", "b3", "b4", "b6"]


def test_prune_removes_what_killed_processes_left_and_nothing_else(run: Any, artifacts: Path) -> None:
    for left in (".building-b7-12", ".verifying-b7-12", ".removing-b0-12"):
        (artifacts / left / "b7").mkdir(parents=True)
    (artifacts / f".{CURRENT_FILE}.12").write_text("b7\n", encoding="utf-8")
    kept = [".git", "evaluation", "my notes"]
    for name in kept:
        (artifacts / name).mkdir()
    code, printed = run("prune", "--keep", "6", "--artifacts", artifacts)
    assert code == 0
    assert printed.count("which a killed training left") == 4
    bundles = [f"b{day}" for day in range(1, 7)]
    assert names(artifacts) == sorted([*kept, CURRENT_FILE, PREVIOUS_FILE, *bundles])


def test_rollback_exchanges_and_says_what_is_live(run: Any, artifacts: Path) -> None:
    assert run("rollback", "--artifacts", artifacts) == (0, f"{artifacts / 'b2'} is live\n")
    assert (artifacts / CURRENT_FILE).read_text(encoding="utf-8") == "b2\n"
    (artifacts / PREVIOUS_FILE).unlink()
    code, printed = run("rollback", "--artifacts", artifacts)
    assert code == 1
    assert printed.startswith("error: there is no bundle to go back to")


def test_verify_names_the_file_that_is_wrong(run: Any, artifacts: Path) -> None:
    (artifacts / "b1" / "a.npy").write_bytes(b"?")
    code, printed = run("verify", artifacts / "b1")
    assert code == 1
    assert "a.npy: expected sha256" in printed
    code, printed = run("verify", artifacts / "b9")
    assert code == 1
    assert f"b9/{MANIFEST_FILE}: expected a file, found none" in printed


def test_verify_checks_the_live_bundle_where_none_is_named(
    run: Any, artifacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (artifacts / "b1" / "a.npy").write_bytes(b"?")
    code, printed = run("verify", "--artifacts", artifacts)
    assert code == 1
    assert "b1/a.npy: expected sha256" in printed
    code, printed = run("verify", "--artifacts", tmp_path_factory.mktemp("nothing"))
    assert code == 1
    assert "CURRENT: cannot be read" in printed


def test_verify_has_the_service_load_the_bundle(run: Any, tiny_artifacts: Path, artifacts: Path) -> None:
    code, printed = run("verify", tiny_artifacts / "tiny-1")
    assert code == 0, printed
    assert "golden requests answered as recorded" in printed
    code, printed = run("verify", artifacts / "b1")
    assert code == 1
    assert "BundleInconsistent" in printed


def test_the_second_of_two_trainings_says_so_and_a_killed_one_does_not_count(
    run: Any, artifacts: Path
) -> None:
    command = [sys.executable, "-c", HOLD, str(artifacts)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        try:
            assert first.stdout.readline() == "at work\n"
            for arguments in (("fit", "--epochs", "1"), ("prune",)):
                code, printed = run(*arguments, "--artifacts", artifacts)
                assert code == 3
                assert f"another training (process {first.pid}) writes here" in printed
        finally:
            first.kill()
    assert (artifacts / TRAINING_LOCK).exists()
    with sole_training(artifacts) as leftovers:
        assert leftovers == []
    assert not (artifacts / TRAINING_LOCK).exists()


def test_the_lock_is_given_back_after_an_error(artifacts: Path) -> None:
    with pytest.raises(KeyError), sole_training(artifacts):
        raise KeyError
    with sole_training(artifacts):
        pass


def test_a_directory_that_cannot_be_written_to_is_named(
    artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(30, "Read-only file system", str(artifacts / TRAINING_LOCK))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ExportError, match="Read-only file system"), sole_training(artifacts):
        pass
