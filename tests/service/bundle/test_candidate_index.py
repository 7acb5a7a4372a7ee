from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annoy import AnnoyIndex
from numpy.typing import NDArray
from tiny_model import DIMENSION, NUM_CANDIDATES, TinyModel

from service.bundle import INDEX_FILE
from service.bundle.candidate_index import CandidateIndex
from service.bundle.manifest import index_search_k, read_manifest
from service.errors import BundleInconsistent


@pytest.fixture(scope="session")
def index(tiny_artifacts: Path) -> CandidateIndex:
    measured = read_manifest(tiny_artifacts / "tiny-1").index
    return CandidateIndex(tiny_artifacts / "tiny-1", measured, DIMENSION)


def queries() -> list[NDArray[np.float32]]:
    return list(np.random.default_rng(1).integers(-8, 9, (30, DIMENSION)).astype(np.float32))


def brute_force(tiny: TinyModel, query: NDArray[np.float32]) -> list[tuple[float, int]]:
    scores = (tiny.candidates @ query).tolist()
    return sorted((-scores[row], row) for row in range(NUM_CANDIDATES))


def test_annoy_finds_what_brute_force_finds(index: CandidateIndex, tiny: TinyModel) -> None:
    shared = 0
    for query in queries():
        rows = index.nearest(query, 10)
        assert rows is not None
        assert len(rows) == 10
        assert np.all(np.diff(rows) > 0)
        shared += len(set(rows.tolist()) & {row for _, row in brute_force(tiny, query)[:10]})
    assert shared / 300 > 0.8  # not all: many scores are equal here, and Annoy cuts them anywhere


def test_scores_are_exact_and_those_of_a_row_the_same_in_any_company(
    index: CandidateIndex, tiny: TinyModel
) -> None:
    query = np.random.default_rng(2).normal(size=DIMENSION).astype(np.float32)
    everything = index.score(query)
    assert everything.tolist() == pytest.approx((tiny.candidates @ query).tolist(), abs=1e-5)
    for rows in ([7], [7, 8], [200, 7, 3], list(range(5, 12))):
        assert index.score(query, np.array(rows, np.int32)).tolist() == everything[rows].tolist()


def test_half_of_the_candidates_are_not_asked_of_annoy(index: CandidateIndex) -> None:
    assert index.nearest(queries()[0], NUM_CANDIDATES // 2) is None


def test_annoy_inspects_the_measured_number_of_nodes_and_never_fewer_than_its_default() -> None:
    measured = {"trees": 20, "search_k": 4000, "deep_search_k": 5000, "candidates": 1000}
    assert index_search_k(measured, 40) == 4000
    assert index_search_k(measured, 40, deep=True) == 5000
    assert index_search_k(measured, 400, deep=True) == 8000
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
    measured = read_manifest(tiny_artifacts / "tiny-1").index
    with pytest.raises(BundleInconsistent, match="expected"):
        CandidateIndex(tiny_artifacts / "tiny-1", measured | changes, DIMENSION)


def test_an_index_of_other_candidates_is_inconsistent(artifacts: Path) -> None:
    directory = artifacts / "tiny-1"
    other = AnnoyIndex(DIMENSION + 1, "angular")
    for row in range(NUM_CANDIDATES):
        other.add_item(row, [1.0] * (DIMENSION + 1))
    other.build(20, n_jobs=1)
    (directory / INDEX_FILE).unlink()
    other.save(str(directory / INDEX_FILE))
    with pytest.raises(BundleInconsistent, match="row 0 is not the vector"):
        CandidateIndex(directory, read_manifest(directory).index, DIMENSION)


def test_a_manifest_without_the_index_figures_is_inconsistent(tiny_artifacts: Path) -> None:
    with pytest.raises(BundleInconsistent, match=r"lacks .*'trees'"):
        CandidateIndex(tiny_artifacts / "tiny-1", {"backend": "annoy"}, DIMENSION)
