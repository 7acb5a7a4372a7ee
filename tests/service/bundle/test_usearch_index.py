"""The optional index; skipped where its package is not installed."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from embedding_cloud import DIMENSION, cloud, mean_recall

from service.bundle.usearch_index import USEARCH_FILE, UsearchIndex
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable

pytest.importorskip("usearch", reason="optional: requirements/usearch.txt")

NUMBER = 3_000
CANDIDATES = cloud(NUMBER)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("usearch")
    UsearchIndex.build(directory, CANDIDATES)
    return directory


DESCRIPTION = UsearchIndex([0] * NUMBER).describe(512, 512)


def test_an_opened_index_finds_nearly_the_best_by_dot_product_and_more_with_more_effort(
    directory: Path,
) -> None:
    opened = UsearchIndex.open(directory, DESCRIPTION, DIMENSION)
    assert mean_recall(opened, CANDIDATES, rows=10, search_k=NUMBER, most=10) > 0.97
    assert mean_recall(opened, CANDIDATES, rows=10, search_k=1, most=10) < 0.9


def test_an_index_describes_itself(tmp_path: Path) -> None:
    document = UsearchIndex.build(tmp_path, cloud(300)).describe(64, 128).to_document()
    assert document == {
        "backend": "usearch",
        "metric": "ip",
        "augmentation": "sqrt(M^2 - |x|^2)",
        "candidates": 300,
        "connectivity": 16,
        "expansion_add": 128,
        "search_k": 64,
        "deep_search_k": 128,
    }


def test_one_thread_writes_the_same_index_again(tmp_path: Path) -> None:
    written = []
    for name in ("first", "again"):
        (tmp_path / name).mkdir()
        UsearchIndex.build(tmp_path / name, cloud(300))
        written.append((tmp_path / name / USEARCH_FILE).read_bytes())
    assert written[0] == written[1]


def test_an_index_of_other_counts_than_the_manifest_says_is_inconsistent(directory: Path) -> None:
    with pytest.raises(BundleInconsistent, match="expected 2999 vectors of dimension 9, got 3000 of 9"):
        UsearchIndex.open(directory, replace(DESCRIPTION, candidates=2_999), DIMENSION)
    with pytest.raises(BundleInconsistent, match="expected 3000 vectors of dimension 8, got 3000 of 9"):
        UsearchIndex.open(directory, DESCRIPTION, DIMENSION - 1)


def test_what_is_no_index_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / USEARCH_FILE).write_bytes(b"no index" * 100)
    with pytest.raises(BundleUnreadable, match="copy it again"):
        UsearchIndex.open(tmp_path, DESCRIPTION, DIMENSION)


def test_without_the_package_the_error_says_what_to_install(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(BundleIncompatible, match=r"requirements/usearch\.txt"):
        UsearchIndex.open(directory, DESCRIPTION, DIMENSION)
