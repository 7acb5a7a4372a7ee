"""The optional index; skipped where its package is not installed."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle.usearch_index import USEARCH_FILE, UsearchIndex
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable

pytest.importorskip("usearch", reason="optional: requirements/usearch.txt")

Array = NDArray[np.float32]
NUMBER, DIMENSION = 3_000, 8


def cloud(seed: int, number: int = NUMBER) -> Array:
    """Embeddings of very different lengths, as popular and unknown movies have."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(0, 0.7, (number, 1))
    return (random.normal(size=(number, DIMENSION)) * lengths).astype(np.float32)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("usearch")
    UsearchIndex.build(directory, cloud(0))
    return directory


DESCRIPTION = UsearchIndex([0] * NUMBER).describe(512, 512)


def test_an_opened_index_finds_nearly_the_best_by_dot_product_and_more_with_more_effort(
    directory: Path,
) -> None:
    opened = UsearchIndex.open(directory, DESCRIPTION, cloud(0))
    shares: dict[int, list[float]] = {1: [], NUMBER: []}
    for query in cloud(3, 40):
        best = np.argsort(-(cloud(0) @ query), kind="stable")[:10]
        for search_k, found_of in shares.items():
            found = opened.nearest(query, 10, search_k)
            assert found.dtype == np.int32
            assert np.all(np.diff(found) > 0)
            found_of.append(float(np.isin(best, found).mean()))
    assert np.mean(shares[NUMBER]) > 0.97
    assert np.mean(shares[1]) < 0.9


def test_an_index_describes_itself(tmp_path: Path) -> None:
    document = UsearchIndex.build(tmp_path, cloud(0, 300)).describe(64, 128).to_document()
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
        UsearchIndex.build(tmp_path / name, cloud(0, 300))
        written.append((tmp_path / name / USEARCH_FILE).read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("row", [0, NUMBER - 1])
def test_an_index_of_other_candidates_is_inconsistent(directory: Path, row: int) -> None:
    others = cloud(0)
    others[row, 0] += 1
    with pytest.raises(BundleInconsistent, match=f"row {row} is not the candidate's vector"):
        UsearchIndex.open(directory, DESCRIPTION, others)


def test_an_index_of_other_counts_than_the_manifest_says_is_inconsistent(directory: Path) -> None:
    with pytest.raises(BundleInconsistent, match="expected 2999 vectors of dimension 9, got 3000 of 9"):
        UsearchIndex.open(directory, replace(DESCRIPTION, candidates=2_999), cloud(0))
    with pytest.raises(BundleInconsistent, match="expected 3000 vectors of dimension 8, got 3000 of 9"):
        UsearchIndex.open(directory, DESCRIPTION, cloud(0)[:, :-1])


def test_what_is_no_index_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / USEARCH_FILE).write_bytes(b"no index" * 100)
    with pytest.raises(BundleUnreadable, match="copy it again"):
        UsearchIndex.open(tmp_path, DESCRIPTION, cloud(0))


def test_without_the_package_the_error_says_what_to_install(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(BundleIncompatible, match=r"requirements/usearch\.txt"):
        UsearchIndex.open(directory, DESCRIPTION, cloud(0))
