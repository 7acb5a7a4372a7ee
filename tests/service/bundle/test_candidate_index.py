from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from embedding_cloud import cloud
from numpy.typing import NDArray
from tiny_model import DIMENSION, NUM_CANDIDATES, TinyModel

from service.bundle.annoy_index import AnnoyIndex
from service.bundle.candidate_index import INDEX_FILES, AnyIndex, CandidateIndex
from service.bundle.faiss_index import FaissIndex
from service.bundle.index_description import IndexDescription
from service.bundle.manifest import read_manifest
from service.bundle.usearch_index import UsearchIndex
from service.errors import BundleInconsistent


@pytest.fixture(scope="session")
def index(tiny_artifacts: Path) -> CandidateIndex:
    description = read_manifest(tiny_artifacts / "tiny-1").index
    return CandidateIndex.open(tiny_artifacts / "tiny-1", description, DIMENSION)


def queries() -> list[NDArray[np.float32]]:
    return list(np.random.default_rng(1).integers(-8, 9, (30, DIMENSION)).astype(np.float32))


def brute_force(tiny: TinyModel, query: NDArray[np.float32]) -> list[tuple[float, int]]:
    scores = (tiny.candidates @ query).tolist()
    return sorted((-scores[row], row) for row in range(NUM_CANDIDATES))


def test_embeddings_come_back_as_they_were_written(index: CandidateIndex, tiny: TinyModel) -> None:
    assert len(index) == NUM_CANDIDATES
    rows = np.array([5, 0, 239], np.int32)
    np.testing.assert_array_equal(index.embeddings(rows), tiny.candidates[rows])


def test_the_index_finds_what_brute_force_finds(index: CandidateIndex, tiny: TinyModel) -> None:
    shared = 0
    for query in queries():
        rows = index.nearest(query, 10)
        assert rows is not None
        assert len(rows) == 10
        assert np.all(np.diff(rows) > 0)
        shared += len(set(rows.tolist()) & {row for _, row in brute_force(tiny, query)[:10]})
    assert shared / 300 > 0.8  # not all: many scores are equal here, and Annoy cuts them anywhere


def test_an_index_of_usearch_is_opened_where_the_manifest_says_so(tmp_path: Path, tiny: TinyModel) -> None:
    pytest.importorskip("usearch", reason="optional: requirements/usearch.txt")
    CandidateIndex.write_candidates(tmp_path, tiny.candidates)
    description = UsearchIndex.build(tmp_path, tiny.candidates).describe(64, 64)
    found = CandidateIndex.open(tmp_path, description, DIMENSION).nearest(queries()[0], 100)
    assert found is not None
    best = {row for _, row in brute_force(tiny, queries()[0])[:10]}
    assert len(best & set(found.tolist())) >= 9


@pytest.mark.parametrize("row", [0, 299])
@pytest.mark.parametrize("backend", ["annoy", "usearch", "faiss"])
def test_an_index_of_other_candidates_is_inconsistent(backend: str, row: int, tmp_path: Path) -> None:
    pytest.importorskip(backend, reason=f"optional: requirements/{backend}.txt")
    candidates = cloud(300)
    builds: dict[str, Callable[[], AnyIndex]] = {
        "annoy": lambda: AnnoyIndex.build(tmp_path, candidates, trees=3, seed=0),
        "usearch": lambda: UsearchIndex.build(tmp_path, candidates),
        "faiss": lambda: FaissIndex.build(tmp_path, candidates),
    }
    description = builds[backend]().describe(64, 64)
    CandidateIndex.write_candidates(tmp_path, candidates)
    assert CandidateIndex.open(tmp_path, description, 8).is_searchable
    candidates[row, 0] += 1
    CandidateIndex.write_candidates(tmp_path, candidates)
    file = INDEX_FILES[description.backend]
    with pytest.raises(BundleInconsistent, match=f"{file}: row {row} is not the candidate's vector"):
        CandidateIndex.open(tmp_path, description, 8)


def test_scores_are_exact_and_those_of_a_row_the_same_in_any_company(
    index: CandidateIndex, tiny: TinyModel
) -> None:
    query = np.random.default_rng(2).normal(size=DIMENSION).astype(np.float32)
    everything = index.score(query)
    assert everything.tolist() == pytest.approx((tiny.candidates @ query).tolist(), abs=1e-5)
    for rows in ([7], [7, 8], [200, 7, 3], list(range(5, 12))):
        assert index.score(query, np.array(rows, np.int32)).tolist() == everything[rows].tolist()


def test_the_index_is_not_searched_for_half_of_the_candidates(index: CandidateIndex) -> None:
    assert index.nearest(queries()[0], NUM_CANDIDATES // 2) is None


def test_results_after_the_first_few_dozen_take_the_deep_effort(tiny_artifacts: Path) -> None:
    directory = tiny_artifacts / "tiny-1"
    lazy = replace(read_manifest(directory).index, search_k=1, deep_search_k=100_000)
    index = CandidateIndex.open(directory, lazy, DIMENSION)
    thorough = CandidateIndex.open(directory, replace(lazy, search_k=100_000), DIMENSION)
    found = [index.nearest(query, 1, deep=deep) for query in queries() for deep in (False, True)]
    best = [thorough.nearest(query, 1) for query in queries()]
    assert [rows.tolist() for rows in found[1::2] if rows is not None] == [
        rows.tolist() for rows in best if rows is not None
    ]
    assert found[::2] != found[1::2]


def test_a_bundle_may_have_no_index(tiny_artifacts: Path, index: CandidateIndex, tiny: TinyModel) -> None:
    exact = IndexDescription(backend="exact", candidates=NUM_CANDIDATES)
    without = CandidateIndex.open(tiny_artifacts / "tiny-1", exact, DIMENSION)
    assert (without.is_searchable, index.is_searchable) == (False, True)
    assert without.nearest(queries()[0], 1) is None
    assert without.score(queries()[0]).tolist() == (tiny.candidates @ queries()[0]).tolist()


@pytest.mark.parametrize(("candidates", "dimension"), [(NUM_CANDIDATES + 1, DIMENSION), (NUM_CANDIDATES, 9)])
def test_embeddings_of_another_shape_than_the_manifest_says_are_inconsistent(
    tiny_artifacts: Path, candidates: int, dimension: int
) -> None:
    directory = tiny_artifacts / "tiny-1"
    description = replace(read_manifest(directory).index, candidates=candidates)
    expected = rf"candidates\.npy: expected {candidates} candidates of dimension {dimension}, got \(240, 8\)"
    with pytest.raises(BundleInconsistent, match=expected):
        CandidateIndex.open(directory, description, dimension)
