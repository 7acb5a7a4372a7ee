"""The search over candidates enough for Annoy, compared with brute force."""

from pathlib import Path
from typing import cast, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.bundle.annoy_index import AnnoyIndex
from service.bundle.candidate_index import CandidateIndex
from service.bundle.index_description import IndexDescription
from service.recommending.candidate_search import CandidateSearch
from service.recommending.filters import Allowed
from service.recommending.queries import DEEPEST
from service.recommending.stage_times import StageTimes
from service.settings import IndexKind
from service.telemetry.observer import Observer

NUM_CANDIDATES, DIMENSION = 6_000, 6
Floats = NDArray[np.float32]


class Counter(Observer):
    def __init__(self) -> None:
        self.fallbacks: list[str] = []
        self.stages: list[str] = []

    def fallback(self, kind: str) -> None:
        self.fallbacks.append(kind)

    def stage(self, stage: str, seconds: float) -> None:
        assert seconds >= 0
        self.stages.append(stage)


@pytest.fixture(scope="module")
def candidates() -> Floats:
    random = np.random.default_rng(0)
    return cast("Floats", random.normal(size=(NUM_CANDIDATES, DIMENSION)).astype(np.float32))


@pytest.fixture(scope="module")
def index(candidates: Floats, tmp_path_factory: pytest.TempPathFactory) -> CandidateIndex:
    directory = tmp_path_factory.mktemp("candidates")
    CandidateIndex.write_candidates(directory, candidates)
    built = AnnoyIndex.build(directory, candidates, trees=4, seed=1)
    description = built.describe(search_k=300, deep_search_k=400)  # so little that it misses
    return CandidateIndex.open(directory, description, DIMENSION)


def widest_of(index: CandidateIndex, widest: int) -> CandidateSearch:
    """A search on a machine that was measured so."""
    search = CandidateSearch(index)
    search.widest = widest
    return search


def allow(passing: NDArray[np.bool_], excluded: list[int]) -> Allowed:
    return Allowed(len(passing), None if passing.all() else passing, np.array(excluded, np.int32))


def everything() -> NDArray[np.bool_]:
    return np.ones(NUM_CANDIDATES, np.bool_)


def query(seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)


def exact(candidates: Floats, embedding: Floats, allowed: Allowed) -> list[int]:
    scores = candidates.astype(float) @ embedding.astype(float)
    return sorted(np.flatnonzero(allowed.mask).tolist(), key=lambda row: -scores[row])


def fallbacks(record: StageTimes) -> list[str]:
    counter = Counter()
    record.report(counter)
    return counter.fallbacks


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    share=st.sampled_from([0.0, 0.001, 0.02, 0.3, 0.9, 1.0]),
    num_excluded=st.sampled_from([0, 1, 40, 700]),
    widest=st.sampled_from([0, 256, 2048]),
)
def test_the_requested_number_is_returned_and_each_depth_is_a_prefix_of_the_next(
    *, seed: int, share: float, num_excluded: int, widest: int, candidates: Floats, index: CandidateIndex
) -> None:
    passing = np.random.default_rng(seed).random(NUM_CANDIDATES) < share
    embedding = query(seed)
    # The hardest to exclude are the best.
    excluded = exact(candidates, embedding, allow(everything(), []))[:num_excluded]
    allowed = allow(passing, excluded)
    search = widest_of(index, widest)
    rows, scores = search.best(embedding, allowed, DEEPEST, StageTimes())
    assert len(rows) == len(set(rows.tolist())) == min(DEEPEST, allowed.num_left)
    assert allowed.mask[rows].all()
    assert np.all(np.diff(scores) <= 0)
    np.testing.assert_allclose(scores.tolist(), (candidates[rows] @ embedding).tolist(), atol=1e-5)
    for depth in (1, 10, 32, 33, 128, 129, 500):
        shorter = search.best(embedding, allowed, depth, StageTimes())
        assert shorter[0].tolist() == rows[:depth].tolist()
        assert shorter[1].tolist() == scores[:depth].tolist()


def test_the_index_finds_most_of_the_best_and_without_it_all_are_found(
    candidates: Floats, index: CandidateIndex
) -> None:
    search = widest_of(index, 256)
    shared = 0
    for seed in range(20):
        allowed = allow(everything(), [])
        best = exact(candidates, query(seed), allowed)[:10]
        record = StageTimes()
        shared += len({*search.best(query(seed), allowed, 10, record)[0].tolist()} & {*best})
        assert fallbacks(record) == []
        found = search.best(query(seed), allowed, 10, StageTimes(), exactly=True)
        assert found[0].tolist() == best
    assert 150 < shared < 200


def test_every_candidate_is_scored_if_annoy_would_take_longer_and_that_is_counted(
    candidates: Floats, index: CandidateIndex
) -> None:
    allowed = allow(np.arange(NUM_CANDIDATES) % 3 == 0, [])  # 2,000 pass: Annoy is queried for 144
    record = StageTimes()
    found = widest_of(index, 128).best(query(1), allowed, 10, record)
    assert fallbacks(record) == ["widened", "exact"]
    assert found[0].tolist() == exact(candidates, query(1), allowed)[:10]
    record = StageTimes()
    widest_of(index, 512).best(query(1), allowed, 10, record)
    assert fallbacks(record) == ["widened"]


def test_annoy_is_searched_deeper_if_too_few_results_pass(candidates: Floats, index: CandidateIndex) -> None:
    """The third that pass are the worst for the query: the filter's share of the catalogue misleads."""
    embedding = query(2)
    worst = exact(candidates, embedding, allow(everything(), []))[-NUM_CANDIDATES // 3 :]
    passing = np.zeros(NUM_CANDIDATES, np.bool_)
    passing[worst] = True
    record = StageTimes()
    found = widest_of(index, 2048).best(embedding, allow(passing, []), 10, record)
    assert fallbacks(record) == ["widened", "widened", "widened", "exact"]
    assert found[0].tolist() == worst[:10]


def test_without_an_index_every_candidate_is_scored_and_that_is_no_fallback(
    candidates: Floats, tmp_path: Path
) -> None:
    CandidateIndex.write_candidates(tmp_path, candidates)
    description = IndexDescription(backend="exact", candidates=NUM_CANDIDATES)
    without = CandidateIndex.open(tmp_path, description, DIMENSION)
    allowed = allow(everything(), [3, 4])
    for kind in get_args(IndexKind):
        record = StageTimes()
        found = CandidateSearch(without, kind).best(query(1), allowed, 40, record)
        assert found[0].tolist() == exact(candidates, query(1), allowed)[:40]
        assert fallbacks(record) == []


def test_both_ways_are_timed_and_the_annoy_limit_is_a_power_of_two(index: CandidateIndex) -> None:
    widest = CandidateSearch(index).widest
    assert 0 <= widest < NUM_CANDIDATES / 2
    assert widest == 0 or widest.bit_count() == 1


@pytest.mark.parametrize(("exactly", "stages"), [(False, ["index", "rescore"]), (True, ["index"])])
def test_a_search_is_timed_by_stage(exactly: bool, stages: list[str], index: CandidateIndex) -> None:
    counter, record = Counter(), StageTimes()
    widest_of(index, 256).best(query(0), allow(everything(), []), 10, record, exactly=exactly)
    record.report(counter)
    assert counter.stages == stages
