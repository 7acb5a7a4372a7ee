from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annoy import AnnoyIndex
from numpy.typing import NDArray
from tiny_model import DIMENSION, NUM_CANDIDATES, TinyModel

from service.bundle import INDEX_FILE
from service.candidate_index import CandidateIndex
from service.errors import BundleInconsistent
from service.manifest import Manifest, index_search_k, read_manifest

NOTHING = np.empty(0, np.int32)


@pytest.fixture(scope="session")
def index(tiny_artifacts: Path) -> CandidateIndex:
    return CandidateIndex(tiny_artifacts / "tiny-1", read_manifest(tiny_artifacts / "tiny-1"))


def queries() -> list[NDArray[np.float32]]:
    return list(np.random.default_rng(1).integers(-8, 9, (30, DIMENSION)).astype(np.float32))


def brute_force(tiny: TinyModel, query: NDArray[np.float32], excluded: set[int]) -> list[tuple[float, int]]:
    scores = (tiny.candidates @ query).tolist()
    return sorted((-scores[row], row) for row in range(NUM_CANDIDATES) if row not in excluded)


def pairs(found: tuple[NDArray[np.int32], NDArray[np.float32]]) -> list[tuple[float, int]]:
    return [(-score, row) for row, score in zip(found[0].tolist(), found[1].tolist(), strict=True)]


@pytest.mark.parametrize("k", [1, 10, NUM_CANDIDATES - 3])
def test_the_exact_search_equals_brute_force_ties_by_row_included(
    k: int, index: CandidateIndex, tiny: TinyModel
) -> None:
    excluded = np.array([3, 200, 7], np.int32)
    for query in queries():
        found = index.search_exactly(query, k, excluded)
        assert pairs(found) == brute_force(tiny, query, {3, 200, 7})[:k]


def test_equal_scores_come_by_rising_row(index: CandidateIndex) -> None:
    rows, scores = index.search_exactly(np.zeros(DIMENSION, np.float32), 5, np.array([1], np.int32))
    assert rows.tolist() == [0, 2, 3, 4, 5]
    assert scores.tolist() == [0.0] * 5


def test_annoy_finds_what_brute_force_finds_and_scores_it_the_same(
    index: CandidateIndex, tiny: TinyModel
) -> None:
    shared = 0
    for query in queries():
        expected = brute_force(tiny, query, set())
        found = pairs(index.search(query, 10, NOTHING))
        assert found == sorted(found)
        assert set(found) <= set(expected)
        shared += len(set(found) & set(expected[:10]))
    assert shared / 300 > 0.9  # not all: many scores are equal here, and Annoy cuts them anywhere


@pytest.mark.parametrize(
    "num_excluded", [0, 30, 100, NUM_CANDIDATES - 10, NUM_CANDIDATES - 4, NUM_CANDIDATES]
)
def test_exactly_k_come_back_while_so_many_are_left_and_no_excluded_one(
    num_excluded: int, index: CandidateIndex, tiny: TinyModel
) -> None:
    for query in queries():
        # The hardest to exclude are the best.
        excluded = [row for _, row in brute_force(tiny, query, set())][:num_excluded]
        rows, scores = index.search(query, 10, np.array(excluded, np.int32))
        assert len(rows) == len(set(rows.tolist())) == min(10, NUM_CANDIDATES - num_excluded)
        assert not set(rows.tolist()) & set(excluded)
        assert np.all(np.diff(scores) <= 0)


def test_where_annoy_returns_too_few_all_candidates_are_scored(
    index: CandidateIndex, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Miser:
        def get_nns_by_vector(self, *_: Any) -> list[int]:
            return [5, 6]

    monkeypatch.setattr(index, "_annoy", Miser())
    query = queries()[0]
    assert pairs(index.search(query, 10, NOTHING)) == brute_force(tiny, query, set())[:10]


def test_annoy_inspects_the_measured_number_of_nodes_and_never_fewer_than_its_default() -> None:
    measured = {"trees": 20, "search_k": 4000, "candidates": 1000}
    assert index_search_k(measured, 40) == 4000
    assert index_search_k(measured, 400) == 8000


def test_half_of_the_candidates_or_more_are_not_asked_of_annoy() -> None:
    measured = {"trees": 20, "search_k": 4000, "candidates": 1000}
    assert index_search_k(measured, 499) == 9980
    assert index_search_k(measured, 500) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"metric": "dot"},
        {"backend": "faiss"},
        {"augmentation": "none"},
        {"trees": 21},
        {"candidates": NUM_CANDIDATES + 1},
    ],
)
def test_an_index_that_is_not_what_the_manifest_says_is_inconsistent(
    tiny_artifacts: Path, changes: dict[str, Any]
) -> None:
    manifest = read_manifest(tiny_artifacts / "tiny-1")
    spoilt = Manifest(**vars(manifest) | {"index": manifest.index | changes})
    with pytest.raises(BundleInconsistent, match="expected"):
        CandidateIndex(tiny_artifacts / "tiny-1", spoilt)


def test_an_index_of_other_candidates_is_inconsistent(artifacts: Path) -> None:
    directory = artifacts / "tiny-1"
    other = AnnoyIndex(DIMENSION + 1, "angular")
    for row in range(NUM_CANDIDATES):
        other.add_item(row, [1.0] * (DIMENSION + 1))
    other.build(20, n_jobs=1)
    (directory / INDEX_FILE).unlink()
    other.save(str(directory / INDEX_FILE))
    with pytest.raises(BundleInconsistent, match="row 0 is not the vector"):
        CandidateIndex(directory, read_manifest(directory))


def test_a_manifest_without_the_index_figures_is_inconsistent(tiny_artifacts: Path) -> None:
    manifest = read_manifest(tiny_artifacts / "tiny-1")
    spoilt = Manifest(**vars(manifest) | {"index": {"backend": "annoy"}})
    with pytest.raises(BundleInconsistent, match=r"lacks .*'trees'"):
        CandidateIndex(tiny_artifacts / "tiny-1", spoilt)
