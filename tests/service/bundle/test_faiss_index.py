"""The optional index; skipped where its package is not installed."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from embedding_cloud import DIMENSION, cloud, mean_recall

from service.bundle import faiss_index
from service.bundle.augmentation import largest_square_of
from service.bundle.faiss_index import FAISS_FILE, FaissIndex
from service.bundle.index_description import IndexDescription
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable

pytest.importorskip("faiss", reason="optional: requirements/faiss.txt")

NUMBER = 3_000
CANDIDATES = cloud(NUMBER)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("faiss")
    FaissIndex.build(directory, CANDIDATES)
    return directory


DESCRIPTION = IndexDescription(
    backend="faiss", candidates=NUMBER, lists=128, largest_square=largest_square_of(CANDIDATES), search_k=32
)


def test_an_opened_index_finds_nearly_the_best_by_dot_product_and_more_in_more_lists(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "_LEAST_RESCORED", 64)
    opened = FaissIndex.open(directory, DESCRIPTION, DIMENSION)
    assert mean_recall(opened, CANDIDATES, rows=10, search_k=64, most=160) > 0.97
    assert mean_recall(opened, CANDIDATES, rows=10, search_k=1, most=160) < 0.9


def test_all_lists_together_have_every_candidate_and_none_has_more_than_its_own(directory: Path) -> None:
    opened = FaissIndex.open(directory, DESCRIPTION, DIMENSION)
    query = cloud(1, seed=3)[0]
    assert opened.nearest(query, NUMBER, 128).tolist() == list(range(NUMBER))
    assert opened.nearest(query, NUMBER, 10_000).tolist() == list(range(NUMBER))
    assert 0 < len(opened.nearest(query, NUMBER, 1)) < NUMBER / 4


def test_an_index_describes_itself(tmp_path: Path) -> None:
    candidates = np.eye(8, dtype=np.float32)[np.arange(300) % 8] * np.float32(1.5)
    document = FaissIndex.build(tmp_path, candidates).describe(8, 16).to_document()
    assert document == {
        "backend": "faiss",
        "metric": "ip",
        "augmentation": "sqrt(M^2 - |x|^2)",
        "candidates": 300,
        "lists": 64,
        "code_bytes": 5,
        "largest_square": 2.25,
        "search_k": 8,
        "deep_search_k": 16,
    }


def test_a_seed_and_one_thread_write_the_same_index_again(tmp_path: Path) -> None:
    written = []
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        (tmp_path / name).mkdir()
        FaissIndex.build(tmp_path / name, cloud(300), seed=seed)
        written.append((tmp_path / name / FAISS_FILE).read_bytes())
    assert written[0] == written[1]
    assert written[0] != written[2]


@pytest.mark.parametrize("number", [1, 2, 15])
def test_a_catalogue_may_be_very_small(number: int, tmp_path: Path) -> None:
    index = FaissIndex.build(tmp_path, cloud(number)).describe(1, 1)
    opened = FaissIndex.open(tmp_path, index, DIMENSION)
    assert all(opened.holds(row, candidate) for row, candidate in enumerate(cloud(number)))
    assert opened.nearest(cloud(1, seed=3)[0], 1, index.lists or 0).tolist() == list(range(number))


def test_parts_that_are_added_one_by_one_are_the_whole(
    tmp_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faiss_index, "_AT_ONCE", 700)
    FaissIndex.build(tmp_path, CANDIDATES)
    assert (tmp_path / FAISS_FILE).read_bytes() == (directory / FAISS_FILE).read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"candidates": 2_999}, "got .*3000"),
        ({"lists": 64}, "'lists': 64.*, got .*'lists': 128"),
    ],
)
def test_an_index_of_other_counts_than_the_manifest_says_is_inconsistent(
    directory: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleInconsistent, match=message):
        FaissIndex.open(directory, replace(DESCRIPTION, **changes), DIMENSION)


def test_an_index_of_another_dimension_is_inconsistent(directory: Path) -> None:
    with pytest.raises(BundleInconsistent, match=r"'dimension': 8.*, got .*'dimension': 10"):
        FaissIndex.open(directory, DESCRIPTION, DIMENSION - 2)


def test_with_another_largest_length_it_holds_other_vectors(directory: Path) -> None:
    assert FaissIndex.open(directory, DESCRIPTION, DIMENSION).holds(0, CANDIDATES[0])
    other = replace(DESCRIPTION, largest_square=1.0)
    assert not FaissIndex.open(directory, other, DIMENSION).holds(0, CANDIDATES[0])


def test_half_of_an_index_is_unreadable(directory: Path, tmp_path: Path) -> None:
    whole = (directory / FAISS_FILE).read_bytes()
    (tmp_path / FAISS_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleUnreadable, match="copy it again"):
        FaissIndex.open(tmp_path, DESCRIPTION, DIMENSION)


def test_what_is_no_index_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / FAISS_FILE).write_bytes(b"no index" * 100)
    with pytest.raises(BundleUnreadable, match="copy it again"):
        FaissIndex.open(tmp_path, DESCRIPTION, DIMENSION)


def test_without_the_package_the_error_says_what_to_install(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(BundleIncompatible, match=r"requirements/faiss\.txt"):
        FaissIndex.open(directory, DESCRIPTION, DIMENSION)
