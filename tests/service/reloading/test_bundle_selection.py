import logging
from pathlib import Path

import pytest
from any_manifest import MANIFEST
from tiny_bundle import seal

from service.bundle.current import CURRENT_FILE, go_live, refuse, roll_back
from service.errors import BundleDisagrees, BundleUnreadable
from service.reloading.bundle_selection import BundleSelection

DISAGREES = BundleDisagrees("golden.json: other answers")


@pytest.fixture
def refused() -> list[str]:
    return []


@pytest.fixture
def training_refused() -> list[bool]:
    return []


@pytest.fixture
def selection(tmp_path: Path, refused: list[str], training_refused: list[bool]) -> BundleSelection:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        seal(tmp_path / name, MANIFEST)
    return BundleSelection(
        tmp_path,
        first_pause_seconds=0.01,
        refused=refused.append,
        training_refused=training_refused.append,
    )


def shown(selection: BundleSelection) -> tuple[str | None, str, str] | None:
    refusal = selection.refusal
    return None if refusal is None else (refusal.bundle_id, refusal.error, refusal.detail)


def test_without_a_bundle_the_refusal_says_how_to_make_one(
    selection: BundleSelection, refused: list[str]
) -> None:
    assert selection.select(None) is None
    assert selection.refusal is not None
    assert selection.refusal.error == "NoBundle"
    assert CURRENT_FILE in selection.refusal.detail
    assert "run `matinee fit`" in selection.refusal.detail
    assert refused == ["NoBundle"]


def test_each_look_says_whether_training_keeps_its_newest_bundle_from_going_live(
    selection: BundleSelection, training_refused: list[bool], tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    selection.select(None)
    refuse(tmp_path, "two")
    selection.select("one")
    selection.select("one")
    go_live(tmp_path, "two")
    selection.select("one")
    assert training_refused == [False, True, True, False]


def test_current_is_selected_until_it_is_live(selection: BundleSelection, tmp_path: Path) -> None:
    go_live(tmp_path, "one")
    assert selection.select(None) == tmp_path / "one"
    selection.accept(tmp_path / "one")
    assert selection.select("one") is None
    go_live(tmp_path, "two")
    assert selection.select("one") == tmp_path / "two"


def test_a_refused_bundle_is_selected_again_only_when_its_files_change(
    selection: BundleSelection, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    assert selection.select(None) == tmp_path / "one"
    selection.refuse(tmp_path / "one", DISAGREES)
    assert [selection.select(None) for _ in range(3)] == [None] * 3
    (tmp_path / "one" / "manifest.json").write_text("mended", encoding="utf-8")
    assert selection.select(None) == tmp_path / "one"


def test_a_file_that_could_not_be_read_is_tried_again(selection: BundleSelection, tmp_path: Path) -> None:
    go_live(tmp_path, "one")
    assert selection.select(None) == tmp_path / "one"
    selection.refuse(tmp_path / "one", BundleUnreadable("candidates.npy: Stale file handle"))
    assert selection.select(None) == tmp_path / "one"


def test_what_cannot_be_read_is_tried_ever_less_often(
    selection: BundleSelection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("service.reloading.refusals.time.monotonic", lambda: now)
    go_live(tmp_path, "one")
    tried_at = []
    for _ in range(1000):
        if selection.select(None) is not None:
            tried_at.append(round(now - 1000, 2))
            selection.refuse(tmp_path / "one", BundleUnreadable("candidates.npy: Stale file handle"))
        now += 0.01
    expected = [0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12]
    assert tried_at == pytest.approx(expected, abs=0.1)


def test_a_retry_selects_a_refused_bundle_again(selection: BundleSelection, tmp_path: Path) -> None:
    go_live(tmp_path, "one")
    selection.select(None)
    selection.refuse(tmp_path / "one", DISAGREES)
    selection.retry()
    assert selection.select(None) == tmp_path / "one"


def test_a_refusal_is_shown_from_its_beginning_to_its_end(
    selection: BundleSelection, refused: list[str], tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    selection.select(None)
    selection.accept(tmp_path / "one")
    assert shown(selection) is None
    go_live(tmp_path, "two")
    assert selection.select("one") == tmp_path / "two"
    selection.refuse(tmp_path / "two", DISAGREES)
    first = selection.refusal
    assert selection.select("one") is None
    assert selection.refusal is first
    assert shown(selection) == ("two", "BundleDisagrees", "golden.json: other answers")
    assert refused == ["BundleDisagrees"]
    roll_back(tmp_path)
    assert selection.select("one") is None
    assert shown(selection) is None


def test_while_nothing_is_live_the_previous_bundle_is_selected_for_a_refused_current(
    selection: BundleSelection, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    go_live(tmp_path, "two")
    assert selection.select(None) == tmp_path / "two"
    selection.refuse(tmp_path / "two", DISAGREES)
    assert selection.select(None) == tmp_path / "one"
    selection.accept(tmp_path / "one")
    assert shown(selection) == ("two", "BundleDisagrees", "golden.json: other answers")
    seal(tmp_path / "two", MANIFEST)
    assert selection.select("one") == tmp_path / "two"
    selection.accept(tmp_path / "two")
    assert shown(selection) is None


def test_why_current_is_refused_is_not_hidden_by_a_previous_bundle_that_is_too(
    selection: BundleSelection, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    go_live(tmp_path, "two")
    selection.select(None)
    selection.refuse(tmp_path / "two", DISAGREES)
    selection.select(None)
    selection.refuse(tmp_path / "one", BundleDisagrees("another reason"))
    assert shown(selection) == ("two", "BundleDisagrees", "golden.json: other answers")
    assert selection.select(None) is None


def test_a_current_that_cannot_be_read_leaves_the_live_bundle(
    selection: BundleSelection, tmp_path: Path
) -> None:
    go_live(tmp_path, "one")
    selection.select(None)
    selection.accept(tmp_path / "one")
    (tmp_path / CURRENT_FILE).unlink()
    assert selection.select("one") is None
    assert selection.refusal is not None
    assert selection.refusal.bundle_id is None


def test_the_same_refusal_is_logged_once(
    selection: BundleSelection, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        selection.select(None)
        selection.select(None)
    assert caplog.text.count("NoBundle") == 1
