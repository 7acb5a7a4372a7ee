import logging
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from any_manifest import MANIFEST
from tiny_bundle import seal

from service.bundle.current import CURRENT_FILE, go_live, roll_back
from service.errors import BundleDisagrees, BundleError, BundleUnreadable, NoBundle
from service.recommending.recommender import Recommender
from service.reloading.reloader import BundleReloader


class Loaded:
    """Stands in for a recommender, which is a circle too: a model's functions refer to the model."""

    def __init__(self, bundle_id: str) -> None:
        self.bundle_id = bundle_id
        self.itself = self
        self.remembers_as: str | None = None

    def remember_those_of(self, other: "Loaded") -> None:
        self.remembers_as = other.bundle_id


class Loader:
    """Stands in for `Recommender.load`: counts its calls, and fails where it is told to."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.errors: dict[str, Exception] = {}

    def __call__(self, directory: Path) -> Recommender:
        self.loaded.append(directory.name)
        if directory.name in self.errors:
            raise self.errors[directory.name]
        return cast("Recommender", Loaded(directory.name))


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def reloader(tmp_path: Path, loader: Loader) -> BundleReloader:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        seal(tmp_path / name, MANIFEST)
    return BundleReloader(tmp_path, loader, reload_seconds=0.01)


def test_without_a_bundle_the_error_says_how_to_make_one(reloader: BundleReloader) -> None:
    with pytest.raises(NoBundle, match="still being loaded"):
        _ = reloader.recommender
    reloader.look()
    with pytest.raises(NoBundle, match=rf"{CURRENT_FILE}.*run `python -m training fit`"):
        _ = reloader.recommender


def test_current_is_loaded_once_and_served(reloader: BundleReloader, loader: Loader, tmp_path: Path) -> None:
    go_live(tmp_path, "one")
    reloader.look()
    reloader.look()
    assert reloader.recommender.bundle_id == "one"
    assert loader.loaded == ["one"]


def test_a_new_current_takes_the_place_of_the_old(reloader: BundleReloader, tmp_path: Path) -> None:
    go_live(tmp_path, "one")
    reloader.look()
    go_live(tmp_path, "two")
    reloader.look()
    assert reloader.recommender.bundle_id == "two"
    assert cast("Loaded", reloader.recommender).remembers_as == "one"


def test_a_bad_current_leaves_the_old_bundle_serving(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    reloader.look()
    loader.errors["two"] = BundleDisagrees("golden.json: other answers")
    go_live(tmp_path, "two")
    reloader.look()
    assert reloader.recommender.bundle_id == "one"
    (tmp_path / CURRENT_FILE).unlink()
    reloader.look()
    assert reloader.recommender.bundle_id == "one"


def test_a_refused_bundle_is_tried_again_only_when_its_files_change(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
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
    go_live(tmp_path, "one")
    loader.errors["one"] = BundleUnreadable("candidates.npy: Stale file handle")
    reloader.look()
    loader.errors.clear()
    reloader.look()
    assert reloader.recommender.bundle_id == "one"


def test_what_cannot_be_read_is_tried_ever_less_often(
    reloader: BundleReloader, loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("service.reloading.refusals.time.monotonic", lambda: now)
    go_live(tmp_path, "one")
    loader.errors["one"] = BundleUnreadable("candidates.npy: Stale file handle")
    tried_at = []
    for _ in range(1000):
        tries = len(loader.loaded)
        reloader.look()
        if len(loader.loaded) > tries:
            tried_at.append(round(now - 1000, 2))
        now += 0.01
    expected = [0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12]
    assert tried_at == pytest.approx(expected, abs=0.1)


def test_whoever_asks_has_a_refused_bundle_tried_again(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    loader.errors["one"] = BundleDisagrees("golden.json: other answers")
    reloader.start()
    try:
        reloader.wait()
        loader.errors.clear()
        time.sleep(0.05)
        assert loader.loaded == ["one"]
        reloader.look_now()
        assert loader.loaded == ["one", "one"]
        assert reloader.bundle_id == "one"
    finally:
        reloader.stop()


def refused(reloader: BundleReloader) -> tuple[str | None, str] | None:
    refusal = reloader.refusal
    return None if refusal is None else (refusal.bundle_id, str(refusal.error))


def test_a_refusal_is_shown_from_its_beginning_to_its_end(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    reloader.look()
    assert refused(reloader) is None
    loader.errors["two"] = BundleDisagrees("golden.json: other answers")
    go_live(tmp_path, "two")
    reloader.look()
    first = reloader.refusal
    reloader.look()
    assert reloader.refusal is first
    assert refused(reloader) == ("two", "golden.json: other answers")
    roll_back(tmp_path)
    reloader.look()
    assert refused(reloader) is None
    assert loader.loaded == ["one", "two"]


def test_a_process_that_begins_while_current_is_refused_serves_the_previous_bundle(
    reloader: BundleReloader, loader: Loader, tmp_path: Path
) -> None:
    loader.errors["two"] = BundleDisagrees("golden.json: other answers")
    go_live(tmp_path, "one")
    go_live(tmp_path, "two")
    for _ in range(3):
        reloader.look()
    assert reloader.recommender.bundle_id == "one"
    assert refused(reloader) == ("two", "golden.json: other answers")
    assert loader.loaded == ["two", "one"]
    loader.errors.clear()
    seal(tmp_path / "two", MANIFEST)
    reloader.look()
    assert reloader.recommender.bundle_id == "two"
    assert refused(reloader) is None


def test_the_old_bundle_is_given_back(reloader: BundleReloader, tmp_path: Path) -> None:
    go_live(tmp_path, "one")
    reloader.look()
    old = weakref.ref(reloader.recommender)
    go_live(tmp_path, "two")
    reloader.look()
    assert old() is None


def test_an_error_nobody_foresaw_is_held_logged_and_survived(
    reloader: BundleReloader, loader: Loader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    go_live(tmp_path, "one")
    loader.errors["one"] = MemoryError("too big")
    reloader.look()
    with pytest.raises(BundleError, match="MemoryError: too big"):
        _ = reloader.recommender
    assert "Traceback" in caplog.text
    go_live(tmp_path, "two")
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
        go_live(tmp_path, "one")
        wait_for(lambda: loader.loaded == ["one"])
        go_live(tmp_path, "two")
        wait_for(lambda: loader.loaded == ["one", "two"])
    finally:
        reloader.stop()
    assert set(threading.enumerate()) <= before
