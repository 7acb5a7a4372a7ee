"""A training whose bundles are published in an object storage, by a URL that fsspec reaches."""

import shutil
from pathlib import Path

import pytest
from tiny_bundle import seal

from service.bundle.current import REFUSED_FILE, go_live, read_current, refuse
from service.errors import NoPrevious
from training.errors import BundleRefused, ExportError
from training.export.artifacts import require_writable
from training.export.published_artifacts import PublishedArtifacts, roll_back_storage

pytest.importorskip("fsspec")


def write(directory: Path, source: Path, name: str) -> None:
    """As a training does."""
    seal(Path(shutil.copytree(source, directory / name)))


def test_a_directory_is_written_to_and_nothing_else(tmp_path: Path) -> None:
    published = PublishedArtifacts(str(tmp_path / "artifacts"))
    with published.published():
        assert published.directory == tmp_path / "artifacts"
    assert not list(tmp_path.iterdir())


def test_a_new_bundle_is_published_and_the_next_training_begins_with_it(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_ARTIFACTS_CACHE", str(tmp_path / "one machine"))
    root = tmp_path / "storage"
    published = PublishedArtifacts(f"file://{root}")
    with published.published():
        write(published.directory, artifacts / "tiny-1", "tiny-1")
        go_live(published.directory, "tiny-1")
        assert not (root / "CURRENT").exists()
    assert (root / "CURRENT").read_text() == "tiny-1\n"
    with pytest.raises(NoPrevious):
        roll_back_storage(f"file://{root}")

    monkeypatch.setenv("MATINEE_ARTIFACTS_CACHE", str(tmp_path / "another machine"))
    published = PublishedArtifacts(f"file://{root}")
    with pytest.raises(BundleRefused), published.published():  # noqa: PT012 as a training ends
        assert read_current(published.directory).name == "tiny-1"
        write(published.directory, artifacts / "tiny-1", "tiny-2")
        refuse(published.directory, "tiny-2")
        raise BundleRefused("too bad")
    assert (root / "CURRENT").read_text() == "tiny-1\n"
    assert (root / REFUSED_FILE).read_text() == "tiny-2\n"
    assert (root / "tiny-2" / "manifest.json").exists()

    with published.published():
        write(published.directory, artifacts / "tiny-1", "tiny-3")
        go_live(published.directory, "tiny-3")
    names = {path.name: path.read_text() for path in root.iterdir() if path.is_file()}
    assert names == {"CURRENT": "tiny-3\n", "PREVIOUS": "tiny-1\n"}
    assert published.live() == published.directory / "tiny-3"
    assert roll_back_storage(f"file://{root}") == "tiny-1"
    monkeypatch.setenv("MATINEE_ARTIFACTS_CACHE", str(tmp_path / "a third machine"))
    published = PublishedArtifacts(f"file://{root}")
    assert (published.live().parent, published.live().name) == (published.directory, "tiny-1")


def test_a_training_that_fails_publishes_nothing(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_ARTIFACTS_CACHE", str(tmp_path / "cache"))
    published = PublishedArtifacts(f"file://{tmp_path}/storage")
    with pytest.raises(ExportError), published.published():  # noqa: PT012 as a training ends
        write(published.directory, artifacts / "tiny-1", "tiny-1")
        raise ExportError("a check failed")
    assert not (tmp_path / "storage").exists()


def test_a_command_that_takes_no_url_says_which_do() -> None:
    with pytest.raises(ExportError, match="`fit`, `verify` and `rollback` take a URL"):
        require_writable(Path("s3://bucket/prefix"))
