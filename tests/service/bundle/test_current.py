import sys
from pathlib import Path
from typing import Any

import pytest
from any_manifest import MANIFEST
from tiny_bundle import seal

from service.bundle import current
from service.bundle.current import (
    CHANGE_LOCK,
    CURRENT_FILE,
    PREVIOUS_FILE,
    go_live,
    read_current,
    read_previous,
    roll_back,
)
from service.errors import BundleError, BundleUnsafe, ChecksumDiffers, NoBundle, NoPrevious


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "b1"
    directory.mkdir()
    return directory


def test_current_names_the_live_bundle_on_one_line(directory: Path) -> None:
    artifacts = directory.parent
    go_live(artifacts, "b1")
    assert (artifacts / CURRENT_FILE).read_bytes() == b"b1\n"
    assert (artifacts / CURRENT_FILE).stat().st_mode & 0o777 == 0o644
    assert read_current(artifacts) == directory
    assert sorted(path.name for path in artifacts.iterdir()) == [CURRENT_FILE, "b1"]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", NoBundle),
        (b"\n", NoBundle),
        (b"b2\n", NoBundle),
        (b"\xff\n", NoBundle),
        (b"b1 \n", NoBundle),
        (b"x" * 10_000, NoBundle),
        (b".\n", BundleUnsafe),
        (b"..\n", BundleUnsafe),
        (b"/etc\n", BundleUnsafe),
        (b"b1/model\n", BundleUnsafe),
        (b"b1\0\n", BundleUnsafe),
    ],
)
def test_a_current_that_names_no_bundle_here_is_refused(
    directory: Path, content: bytes, error: type[BundleError]
) -> None:
    (directory.parent / CURRENT_FILE).write_bytes(content)
    with pytest.raises(error, match=CURRENT_FILE):
        read_current(directory.parent)


def test_a_current_of_megabytes_is_not_repeated_in_the_error(directory: Path) -> None:
    (directory.parent / CURRENT_FILE).write_bytes(b"x" * 1_000_000)
    with pytest.raises(NoBundle, match="got 1000000 characters") as caught:
        read_current(directory.parent)
    assert len(str(caught.value)) < 1_000


def test_without_current_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NoBundle, match="matinee fit"):
        read_current(tmp_path)


@pytest.fixture
def artifacts_of_two(tmp_path: Path) -> Path:
    """`b2` is live, `b1` was before."""
    for name in ("b1", "b2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.npy").write_bytes(name.encode())
        seal(tmp_path / name, MANIFEST)
        go_live(tmp_path, name)
    return tmp_path


def names(artifacts: Path) -> tuple[str, str]:
    return read_current(artifacts).name, read_previous(artifacts).name


def test_the_bundle_that_was_live_becomes_the_previous_one(artifacts_of_two: Path) -> None:
    assert names(artifacts_of_two) == ("b2", "b1")
    go_live(artifacts_of_two, "b2")
    assert names(artifacts_of_two) == ("b2", "b1")


def test_a_current_that_names_nothing_is_not_gone_back_to(artifacts_of_two: Path) -> None:
    (artifacts_of_two / CURRENT_FILE).write_text("gone\n", encoding="utf-8")
    go_live(artifacts_of_two, "b2")
    assert names(artifacts_of_two) == ("b2", "b1")


@pytest.mark.parametrize("at_one_stroke", [True, False])
def test_a_rollback_exchanges_the_two_and_a_second_one_undoes_it(
    artifacts_of_two: Path, at_one_stroke: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_one_stroke:
        monkeypatch.setattr(current, "_exchanged", lambda *_: False)
    assert roll_back(artifacts_of_two) == "b1"
    assert names(artifacts_of_two) == ("b1", "b2")
    assert roll_back(artifacts_of_two) == "b2"
    assert names(artifacts_of_two) == ("b2", "b1")
    left = sorted(path.name for path in artifacts_of_two.iterdir())
    assert left == [CURRENT_FILE, PREVIOUS_FILE, "b1", "b2"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_on_linux_the_exchange_is_one_stroke(artifacts_of_two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_write", lambda *_: pytest.fail("it was written in two"))
    assert roll_back(artifacts_of_two) == "b1"


def test_without_a_previous_bundle_there_is_no_rollback(artifacts_of_two: Path) -> None:
    (artifacts_of_two / PREVIOUS_FILE).write_text("b2\n", encoding="utf-8")
    with pytest.raises(NoPrevious, match="names b2, which is live already"):
        roll_back(artifacts_of_two)
    (artifacts_of_two / PREVIOUS_FILE).unlink()
    with pytest.raises(NoPrevious, match=PREVIOUS_FILE):
        roll_back(artifacts_of_two)
    assert read_current(artifacts_of_two).name == "b2"


def test_no_rollback_to_a_bundle_that_is_not_whole(artifacts_of_two: Path) -> None:
    (artifacts_of_two / "b1" / "a.npy").write_bytes(b"b?")
    with pytest.raises(ChecksumDiffers, match=r"a\.npy"):
        roll_back(artifacts_of_two)
    assert names(artifacts_of_two) == ("b2", "b1")


def test_whoever_is_killed_between_the_two_writes_leaves_the_old_bundle_live(
    artifacts_of_two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = current._write
    written: list[tuple[Any, ...]] = []

    def killed_after_one(*arguments: Any) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(arguments)
        write(*arguments)

    monkeypatch.setattr(current, "_write", killed_after_one)
    (artifacts_of_two / "b3").mkdir()
    with pytest.raises(KeyboardInterrupt):
        go_live(artifacts_of_two, "b3")
    assert names(artifacts_of_two) == ("b2", "b2")


def test_a_lock_left_by_a_killed_process_means_nothing(artifacts_of_two: Path) -> None:
    (artifacts_of_two / CHANGE_LOCK).write_text("4194304\n", encoding="utf-8")
    assert roll_back(artifacts_of_two) == "b1"
