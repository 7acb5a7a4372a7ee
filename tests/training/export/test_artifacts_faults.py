import os
from pathlib import Path

import pytest
from synthetic_ratings import table_of

from training import pipeline
from training.cli import data_loading
from training.config import TrainingConfig
from training.errors import ExportError
from training.export import bundle_export as export
from training.export.artifacts import require_writable, writing


@pytest.fixture
def not_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that may not be written to, to root neither."""
    directory = tmp_path / "not mine"
    directory.mkdir()
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != directory and may(path, mode))
    return directory


def test_a_directory_that_can_be_written_or_made_is_left_as_it_is(tmp_path: Path) -> None:
    require_writable(tmp_path)
    require_writable(tmp_path / "not" / "yet" / "there")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("below", [".", "new", "new/deeper"])
def test_a_directory_that_may_not_be_written_to_is_named(not_mine: Path, below: str) -> None:
    with pytest.raises(ExportError, match="not mine: may not be written to; allow it, or name another"):
        require_writable(not_mine / below)


@pytest.mark.parametrize("below", [".", "new"])
def test_a_file_in_the_place_of_the_artifacts_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ExportError, match="file: expected a directory"):
        require_writable(tmp_path / "file" / below)


def test_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ExportError, match="link: expected a directory"):
        require_writable(tmp_path / "link")


@pytest.mark.parametrize("name", ["a[1]", "back\\slash"])
def test_a_path_that_tensorflow_cannot_load_a_model_from_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match="without brackets or backslashes"):
        require_writable(tmp_path / name)


def test_fit_finds_it_out_before_it_trains(
    not_mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(data_loading, "load", lambda *_: pytest.fail("it began"))
    with pytest.raises(ExportError, match="may not be written to"):
        pipeline.fit("auto", "100k", TrainingConfig(), None, not_mine)
    assert "Load ratings" not in capsys.readouterr().err


def test_what_the_file_system_refuses_is_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(directory: Path, *_: object, **__: object) -> None:
        directory.mkdir(parents=True)
        raise OSError(28, "No space left on device", str(directory / "candidates.npy"))

    monkeypatch.setattr(export, "_write", fill_the_disk)
    trained = type("Trained", (), {"config": TrainingConfig()})()
    table = table_of([("1", "1", 3, 0)])
    with pytest.raises(ExportError, match=r"candidates\.npy: cannot be written: No space left on device"):
        export.export_bundle(trained, table, None, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_refusal_without_a_name_names_the_artifacts(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=f"{tmp_path}: cannot be written: no room"), writing(tmp_path):
        raise OSError("no room")
