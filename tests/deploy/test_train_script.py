"""What the training image runs, with an environment in which only training itself is not real."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from any_manifest import MANIFEST
from service_process import REPOSITORY
from tiny_bundle import seal

from service.bundle import CURRENT_FILE, MANIFEST_FILE
from service.bundle.current import go_live

SCRIPT = REPOSITORY / "deploy" / "docker" / "train"
PYTHON = f"""#!/bin/sh
case "$3" in
  fit) echo "trained" ;;
  *) exec {sys.executable} "$@" ;;
esac
"""

Train = Callable[[Path], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def train_first(tmp_path: Path) -> Train:
    """Runs `matinee-train first` over artifacts."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in {"python": PYTHON, "pip": "#!/bin/sh\n"}.items():
        (programs / name).write_text(script, encoding="utf-8")
        (programs / name).chmod(0o755)

    def train(artifacts: Path) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "MATINEE_ARTIFACTS": str(artifacts),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }
        command = ["/bin/sh", str(SCRIPT), "first"]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
        )

    return train


def older_schema(artifacts: Path) -> None:
    path = artifacts / "b1" / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"schema_version": 1}), "utf-8")


def damaged_file(artifacts: Path) -> None:
    (artifacts / "b1" / "a.npy").write_bytes(b"?")


def no_such_bundle(artifacts: Path) -> None:
    (artifacts / CURRENT_FILE).write_text("b9\n", encoding="utf-8")


def test_a_first_training_trains_where_there_is_no_bundle(train_first: Train, tmp_path: Path) -> None:
    done = train_first(tmp_path)
    assert done.stdout == "trained\n"
    assert done.stderr == ""


def test_a_first_training_is_content_with_a_bundle_that_can_be_served(
    train_first: Train, tiny_artifacts: Path
) -> None:
    done = train_first(tiny_artifacts)
    assert done.stdout == "matinee-train: there is a bundle already, tiny-1\n"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (older_schema, "expected schema_version"),
        (damaged_file, "a.npy: expected sha256"),
        (no_such_bundle, "names b9"),
    ],
)
def test_a_first_training_replaces_a_live_bundle_that_cannot_be_served_and_says_why(
    spoil: Callable[[Path], None], why: str, train_first: Train, tmp_path: Path
) -> None:
    artifacts = tmp_path / "artifacts"
    (artifacts / "b1").mkdir(parents=True)
    (artifacts / "b1" / "a.npy").write_bytes(b"!")
    seal(artifacts / "b1", MANIFEST)
    go_live(artifacts, "b1")
    spoil(artifacts)
    done = train_first(artifacts)
    assert done.stdout == "trained\n"
    assert "cannot be served" in done.stderr
    assert why in done.stderr
