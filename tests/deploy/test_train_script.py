"""Entry point of the training image, with a stub in place of training."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from any_manifest import MANIFEST
from service_process import REPOSITORY
from tiny_bundle import seal

from service.bundle.current import CURRENT_FILE, go_live
from service.bundle.manifest import MANIFEST_FILE

SCRIPT = REPOSITORY / "deploy" / "docker" / "train"
PROGRAMS = {
    "matinee": f"""#!/bin/sh
case "$*" in
  *--endless*) trap 'echo interrupted; exit 1' TERM; echo begun; while :; do sleep 0.05; done ;;
  *--failing*) exit 3 ;;
  fit*--forgotten*) exit 5 ;;
  fit*--warm-start*--stale*) echo refused; exit 2 ;;
  fit*--epochs*) echo "$@ with $MATINEE_STORE" ;;
  fit*|prune*) echo "$1" ;;
  *) exec {sys.executable} -m matinee "$@" ;;
esac
""",
    "pip": "#!/bin/sh\n",
}

Start = Callable[..., "subprocess.Popen[str]"]
Train = Callable[..., tuple[int, str, str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start `matinee-train` with arguments over an artifacts directory."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in PROGRAMS.items():
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)

    def start(artifacts: Path | str, *arguments: str) -> "subprocess.Popen[str]":
        environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "MATINEE_ARTIFACTS": str(artifacts),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "MATINEE_STORE": os.environ.get("MATINEE_STORE", "off"),
        }
        command = ["/bin/sh", str(SCRIPT), *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=pipe, stderr=pipe, text=True)

    return start


@pytest.fixture
def train(start: Start) -> Train:
    """Run it to its end: exit code, output, errors."""

    def train(artifacts: Path | str, *arguments: str) -> tuple[int, str, str]:
        with start(artifacts, *arguments) as process:
            output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    return train


def older_schema(artifacts: Path) -> None:
    path = artifacts / "b1" / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"schema_version": 1}), "utf-8")


def damaged_file(artifacts: Path) -> None:
    (artifacts / "b1" / "a.npy").write_bytes(b"?")


def no_such_bundle(artifacts: Path) -> None:
    (artifacts / CURRENT_FILE).write_text("b9\n", encoding="utf-8")


@pytest.mark.parametrize("mode", [(), ("now",), ("first",)])
def test_without_a_bundle_it_trains_and_prunes(mode: tuple[str, ...], train: Train, tmp_path: Path) -> None:
    assert train(tmp_path, *mode) == (0, "fit\nprune\n", "")


def test_first_keeps_a_live_bundle_that_can_be_served(train: Train, tiny_artifacts: Path) -> None:
    code, output, errors = train(tiny_artifacts, "first")
    assert code == 0, errors
    assert output.startswith(f"matinee-train: the live bundle is valid: {tiny_artifacts}/tiny-1: ")


def test_of_bundles_in_a_storage_too_and_those_are_not_pruned(
    train: Train, tiny_artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_ARTIFACTS_CACHE", str(tmp_path / "cache"))
    code, output, errors = train(f"file://{tiny_artifacts}", "first")
    assert code == 0, errors
    assert "the live bundle is valid: " in output
    code, output, errors = train(f"file://{tmp_path}/empty", "first")
    assert (code, output) == (0, "fit\n"), errors
    assert "CURRENT: is not there" in errors


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (older_schema, "expected schema_version"),
        (damaged_file, "a.npy: expected sha256"),
        (no_such_bundle, "names b9"),
    ],
)
def test_first_replaces_a_live_bundle_that_cannot_be_served_and_logs_the_reason(
    damage: Callable[[Path], None],
    reason: str,
    train: Train,
    tmp_path: Path,
) -> None:
    artifacts = tmp_path / "artifacts"
    (artifacts / "b1").mkdir(parents=True)
    (artifacts / "b1" / "a.npy").write_bytes(b"!")
    seal(artifacts / "b1", MANIFEST)
    go_live(artifacts, "b1")
    damage(artifacts)
    code, output, errors = train(artifacts, "first")
    assert (code, output) == (0, "fit\nprune\n")
    assert "cannot be served" in errors
    assert reason in errors


@pytest.mark.parametrize(
    ("mode", "store", "expected"),
    [
        ("now", "{directory}/none/feedback.sqlite3", True),
        ("now", "{directory}/there.sqlite3", True),
        ("first", "{directory}/there.sqlite3", True),
        ("now", "postgresql://host/matinee", True),
        ("first", "postgresql://host/matinee", False),
        ("now", "{directory}/not yet.sqlite3", False),
        ("now", "off", False),
        ("now", "", False),
    ],
)
def test_the_store_of_the_service_is_trained_on_where_there_is_one(
    *, mode: str, store: str, expected: bool, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there.sqlite3").touch()
    store = store.format(directory=tmp_path)
    monkeypatch.setenv("MATINEE_STORE", store)
    code, output, errors = train(tmp_path / "artifacts", mode, "--epochs", "1")
    assert code == 0, errors
    # Anyone who lists processes sees arguments, and a URL may have a password.
    assert "--store" not in output
    assert output.splitlines()[0].endswith(f" --epochs 1 with {store if expected else 'off'}")
    assert ("no store yet" in errors) == ("not yet" in store)


def test_the_store_comes_from_a_file_among_the_secrets_too(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matinee_store").write_text("postgresql://u:pw@host/matinee\n", encoding="utf-8")
    monkeypatch.setenv("MATINEE_SECRETS", str(tmp_path))
    monkeypatch.setenv("MATINEE_STORE", "")
    code, output, errors = train(tmp_path / "artifacts", "now", "--epochs", "1")
    assert code == 0, errors
    assert output.splitlines()[0].endswith("--epochs 1 with postgresql://u:pw@host/matinee")


def test_a_failed_training_ends_it_with_the_same_exit_code(train: Train, tmp_path: Path) -> None:
    assert train(tmp_path, "now", "--failing") == (3, "", "")


@pytest.mark.parametrize(("mode", "expected"), [(("now",), 143), (("every", "0"), 0)])
def test_sigterm_reaches_training_and_is_success_only_for_every(
    mode: tuple[str, ...],
    expected: int,
    start: Start,
    tmp_path: Path,
) -> None:
    with start(tmp_path, *mode, "--endless") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (expected, "interrupted\n"), errors


def test_every_goes_on_after_a_failed_training(start: Start, tmp_path: Path) -> None:
    with start(tmp_path, "every", "0", "--failing") as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert lines == ["matinee-train: training failed; next attempt in 0 s\n"] * 2
    assert process.returncode == 0


def test_every_tries_three_times_at_once_where_a_user_was_forgotten_meanwhile(
    start: Start, tmp_path: Path
) -> None:
    with start(tmp_path, "every", "0", "--forgotten") as process:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    discarded = "matinee-train: a user was forgotten meanwhile; attempt {} of 3 was discarded\n"
    assert lines == [
        *(discarded.format(attempt) for attempt in (1, 2, 3)),
        "matinee-train: training failed; next attempt in 0 s\n",
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--epochs", "1"), ["warm", "prune", "warm", "prune", "full", "prune", "warm"]),
        (
            ("--epochs", "1", "--stale"),
            ["refused", "full", "prune", "refused", "full", "prune", "full", "prune"],
        ),
    ],
)
def test_every_nth_training_is_in_full_and_those_that_cannot_learn_on_are_too(
    arguments: tuple[str, ...],
    expected: list[str],
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MATINEE_FULL_EVERY", "3")
    with start(tmp_path, "every", "0", *arguments) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in expected]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    kinds = [
        ("warm" if " --warm-start live " in line else "full") if "--epochs" in line else line
        for line in lines
    ]
    assert kinds == expected
