import dataclasses
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from service_process import REPOSITORY

from training.data import tfds_source, wheel_source
from training.data.reader import read_files
from training.data.reading_options import ReadingOptions
from training.data.sources import load_ratings
from training.data.table import RatingsTable
from training.errors import ConfigurationError, DataError, SourceError


@pytest.fixture
def small(layout: Callable[[str], dict[str, bytes]], write_files: Callable[..., Path]) -> RatingsTable:
    """Small table that fake sources return."""
    return read_files(write_files(layout("100k"), "small")).table


class FakeSources:
    """Fakes of tfds and the wheel: what is prepared, and what fails."""

    def __init__(self, table: RatingsTable, monkeypatch: pytest.MonkeyPatch) -> None:
        self.prepared: set[str] = set()
        self.failing: dict[str, Exception] = {}
        self.cache_dirs: list[Path] = []
        self._table = table
        monkeypatch.setattr(tfds_source, "is_prepared", lambda _: "tfds" in self.prepared)
        monkeypatch.setattr(wheel_source, "is_prepared", lambda _: "wheel" in self.prepared)
        monkeypatch.setattr(tfds_source, "load_movielens", lambda dataset: self._load("tfds", dataset))
        monkeypatch.setattr(wheel_source, "load_wheel", self._load_wheel)

    def _load_wheel(self, cache_dir: Path) -> RatingsTable:
        self.cache_dirs.append(cache_dir)
        return self._load("wheel", "100k")

    def _load(self, source: str, dataset: str) -> RatingsTable:
        if source in self.failing:
            raise self.failing[source]
        return dataclasses.replace(self._table, source=f"{source} {dataset}")


@pytest.fixture
def fakes(small: RatingsTable, monkeypatch: pytest.MonkeyPatch) -> FakeSources:
    return FakeSources(small, monkeypatch)


OFFLINE = SourceError("movielens/100k: the download failed: no response")


@pytest.mark.parametrize(
    ("prepared", "offline", "used"),
    [
        ({"tfds", "wheel"}, False, "tfds 100k"),
        ({"tfds"}, False, "tfds 100k"),
        ({"wheel"}, False, "wheel 100k"),
        (set(), False, "tfds 100k"),
        (set(), True, "wheel 100k"),
    ],
)
def test_auto_prefers_what_is_prepared_then_the_download_then_the_wheel(
    fakes: FakeSources, prepared: set[str], offline: bool, used: str
) -> None:
    fakes.prepared = prepared
    fakes.failing = {"tfds": OFFLINE} if offline else {}
    assert load_ratings().source == used


def test_auto_logs_why_it_uses_the_wheel(fakes: FakeSources, caplog: pytest.LogCaptureFixture) -> None:
    fakes.failing = {"tfds": OFFLINE}
    with caplog.at_level(logging.WARNING):
        load_ratings("auto")
    assert caplog.messages == [f"{OFFLINE}. Using wheel 100k instead"]


def test_auto_uses_the_wheel_after_a_wrong_checksum_too(fakes: FakeSources) -> None:
    fakes.failing = {"tfds": DataError("ml-100k.zip: wrong checksum")}
    assert load_ratings("auto").source == "wheel 100k"


def test_auto_reports_both_reasons_if_all_sources_fail(fakes: FakeSources) -> None:
    fakes.failing = {"tfds": OFFLINE, "wheel": SourceError("the wheel is not installed")}
    with pytest.raises(SourceError, match=r"no response\. And the wheel is not installed$"):
        load_ratings("auto")


def test_the_wheel_is_only_for_100k(fakes: FakeSources) -> None:
    fakes.prepared, fakes.failing = {"wheel"}, {"tfds": OFFLINE}
    with pytest.raises(SourceError, match="the download failed"):
        load_ratings("auto", "1m")
    fakes.failing = {}
    assert load_ratings("auto", "1m").source == "tfds 1m"


def test_tfds_uses_no_other_source(fakes: FakeSources) -> None:
    fakes.prepared = {"wheel"}
    assert load_ratings("tfds", "25m").source == "tfds 25m"
    fakes.failing = {"tfds": OFFLINE}
    with pytest.raises(SourceError, match="no response"):
        load_ratings("tfds")


@pytest.mark.parametrize("source", ["auto", "tfds"])
def test_an_unknown_data_set_is_refused(fakes: FakeSources, source: str) -> None:
    with pytest.raises(DataError, match=r"called '10m'; expected one of 100k, 1m, latest-small, 20m, 25m"):
        load_ratings(source, "10m")
    assert not fakes.cache_dirs


def test_a_path_is_read_for_any_data_set(small: RatingsTable, tmp_path: Path) -> None:
    assert load_ratings(str(tmp_path / "small"), "10m").sha256 == small.sha256


def test_a_path_may_start_at_home(
    small: RatingsTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_ratings("~/small").sha256 == small.sha256


def test_a_path_is_read_without_tensorflow(small: RatingsTable, tmp_path: Path) -> None:  # noqa: ARG001 on disk
    """In a process of its own."""
    code = (
        "import sys; from training.data.sources import load_ratings\n"
        "print(len(load_ratings(sys.argv[1])), 'tensorflow' in sys.modules)"
    )
    ended = subprocess.run(
        *([sys.executable, "-c", code, str(tmp_path / "small")],),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "5 False\n"


def test_a_path_logs_what_it_warns_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating\na,1,-1\na,2,8\nb,1,9\n", encoding="utf-8")
    load_ratings(str(tmp_path / "r.csv"))
    assert [message for message in caplog.messages if "--not-rated -1" in message]


def test_options_of_files_are_refused_for_a_named_source() -> None:
    with pytest.raises(ConfigurationError, match="--strict: expected files to read so, got --data auto"):
        load_ratings("auto", options=ReadingOptions(strict=True))


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(DataError, match="expected a source of ratings, got ''; give auto, tfds or a path"):
        load_ratings("")


def test_the_cache_is_at_the_argument_or_the_xdg_directory(
    fakes: FakeSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.prepared = {"wheel"}
    monkeypatch.setenv("HOME", "/home/someone")
    load_ratings(cache_dir=tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    load_ratings()
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    load_ratings()
    assert fakes.cache_dirs == [tmp_path, Path("/caches/matinee"), Path("/home/someone/.cache/matinee")]
