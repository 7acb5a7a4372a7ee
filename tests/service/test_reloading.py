import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from service.bundle import CURRENT_FILE, write_current
from service.errors import BundleDisagrees, BundleError, BundleUnreadable, NoBundle
from service.recommender import Recommender
from service.reloading import BundleReloader


class Loader:
    """Stands in for `Recommender.load`: counts its calls, and fails where it is told to."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.errors: dict[str, Exception] = {}

    def __call__(self, directory: Path) -> Recommender:
        self.loaded.append(directory.name)
        if directory.name in self.errors:
            raise self.errors[directory.name]
        return cast("Recommender", SimpleNamespace(bundle_id=directory.name))


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def reloader(tmp_path: Path, loader: Loader) -> BundleReloader:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name, encoding="utf-8")
    return BundleReloader(tmp_path, loader, reload_seconds=0.01)


def test_without_a_bundle_the_error_says_how_to_make_one(reloader: BundleReloader) -> None:
    with pytest.raises(NoBundle, match="still being loaded"):
        _ = reloader.recommender
    reloader.look()
    with pytest.raises(NoBundle, match=rf"{CURRENT_FILE}.*run `python -m training fit`"):
        _ = reloader.recommender


def test_current_is_loaded_once_and_served(reloader: BundleReloader, loader: Loader, tmp_path: Path) -> None:
    write_current(tmp_path, "one")
    reloader.look()
    reloader.look()
    assert reloader.recommender.bundle_id == "one"
    assert loader.loaded == ["one"]


def test_a_new_current_takes_the_place_of_the_old(reloader: BundleReloader, tmp_path: Path) -> None:
    write_current(tmp_path, "one")
    reloader.look()
    write_current(tmp_path, "two")
    reloader.look()
    assert reloader.recommender.bundle_id == "two"


def test_a_bad_current_leaves_the_old_bundle_serving(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    write_current(tmp_path, "one")
    reloader.look()
    loader.errors["two"] = BundleDisagrees("golden.json: other answers")
    write_current(tmp_path, "two")
    reloader.look()
    assert reloader.recommender.bundle_id == "one"
    (tmp_path / CURRENT_FILE).unlink()
    reloader.look()
    assert reloader.recommender.bundle_id == "one"


def test_a_refused_bundle_is_tried_again_only_when_its_files_change(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    write_current(tmp_path, "one")
    loader.errors["one"] = BundleDisagrees("golden.json: other answers")
    for _ in range(3):
        reloader.look()
    assert loader.loaded == ["one"]
    with pytest.raises(BundleDisagrees, match="other answers"):
        _ = reloader.recommender

    loader.errors.clear()
    (tmp_path / "one" / "manifest.json").write_text("mended", encoding="utf-8")
    reloader.look()
    assert reloader.recommender.bundle_id == "one"


def test_a_file_that_could_not_be_read_is_tried_again(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    write_current(tmp_path, "one")
    loader.errors["one"] = BundleUnreadable("candidates.npy: Stale file handle")
    reloader.look()
    loader.errors.clear()
    reloader.look()
    assert reloader.recommender.bundle_id == "one"


def test_an_error_nobody_foresaw_is_held_logged_and_survived(
    reloader: BundleReloader, loader: Loader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_current(tmp_path, "one")
    loader.errors["one"] = MemoryError("too big")
    reloader.look()
    with pytest.raises(BundleError, match="MemoryError: too big"):
        _ = reloader.recommender
    assert "Traceback" in caplog.text
    write_current(tmp_path, "two")
    reloader.look()
    assert reloader.recommender.bundle_id == "two"


def test_the_same_error_is_logged_once(reloader: BundleReloader, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        reloader.look()
        reloader.look()
    assert caplog.text.count("NoBundle") == 1


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_its_thread_finds_a_bundle_that_appears_and_ends_when_told(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    before = set(threading.enumerate())
    reloader.start()
    try:
        write_current(tmp_path, "one")
        wait_for(lambda: loader.loaded == ["one"])
        write_current(tmp_path, "two")
        wait_for(lambda: loader.loaded == ["one", "two"])
    finally:
        reloader.stop()
    assert set(threading.enumerate()) <= before
