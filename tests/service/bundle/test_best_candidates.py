from __future__ import annotations

import numpy as np
import pytest

from service.bundle import best_candidates
from service.bundle.appended_rows import AppendedRows
from service.bundle.best_candidates import BestCandidates, Found

NOTHING = np.empty(0, np.int32)


def find(
    candidates: np.ndarray, queries: np.ndarray, k: int, excluded: list[list[int]] | None = None
) -> Found:
    without = excluded or [[] for _ in queries]
    lengths = np.array([len(each) for each in without])
    rows = np.array([row for each in without for row in each], np.int32)
    return BestCandidates(candidates).find(queries, lengths, rows, k)


def one_by_one(candidates: np.ndarray, queries: np.ndarray, k: int) -> list[int]:
    """Sorted by a dot product for each, equals by row."""
    found = []
    for query in queries:
        scores = np.vecdot(candidates, query)
        found += np.lexsort((np.arange(len(scores)), -scores))[:k].tolist()
    return found


@pytest.mark.parametrize("dimension", [1, 3, 64, 65])
def test_order_and_scores_are_those_of_single_dot_products(dimension: int) -> None:
    random = np.random.default_rng(dimension)
    # Nearly alike, so that a product of matrices, which adds up in another order, would sort otherwise.
    candidates = (1 + 1e-6 * random.normal(size=(500, dimension))).astype(np.float32)
    queries = random.normal(size=(37, dimension)).astype(np.float32)
    found = find(candidates, queries, 50)
    assert found.rows.tolist() == one_by_one(candidates, queries, 50)
    of_query = np.repeat(np.arange(37), 50)
    np.testing.assert_array_equal(found.scores, np.vecdot(candidates[found.rows], queries[of_query]))


def test_of_equal_candidates_the_first_rows_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_candidates, "_MOST_GATHERED", 1_000)
    candidates, queries = np.ones((300, 4), np.float32), np.ones((9, 4), np.float32)
    found = find(candidates, queries, 3, [[0, 1], *[[] for _ in range(8)]])
    assert found.rows.tolist() == [2, 3, 4, *[0, 1, 2] * 8]


def test_what_is_excluded_is_never_found() -> None:
    candidates = np.arange(12, dtype=np.float32).reshape(6, 2)
    queries = np.ones((3, 2), np.float32)
    found = find(candidates, queries, 4, [[5, 4], [0, 1, 2, 3, 4, 5], []])
    assert found.lengths.tolist() == [4, 0, 4]
    assert found.rows.tolist() == [3, 2, 1, 0, 5, 4, 3, 2]


@pytest.mark.parametrize("best_are", ["anywhere", "first", "in one column"])
def test_of_a_large_catalogue_the_best_are_found_wherever_they_are(best_are: str) -> None:
    random = np.random.default_rng(5)
    candidates = random.normal(size=(40_000, 8)).astype(np.float32)
    queries = random.normal(size=(6, 8)).astype(np.float32)
    queries[:, 0] = 1
    if best_are == "first":
        candidates[:2_500, 0] += 10
    elif best_are == "in one column":
        candidates[::256, 0] += 10
    assert find(candidates, queries, 13).rows.tolist() == one_by_one(candidates, queries, 13)
    excluded = np.arange(39_990).tolist()
    assert find(candidates, queries, 13, [excluded] * 6).lengths.tolist() == [10] * 6


@pytest.mark.parametrize("k", [1, 7, 40, 41, 100])
def test_rows_after_those_of_the_bundle_are_found_like_all_others(k: int) -> None:
    random = np.random.default_rng(6)
    candidates = random.normal(size=(40, 8)).astype(np.float32)
    queries = random.normal(size=(5, 8)).astype(np.float32)
    lengths, none = np.zeros(5, np.int64), np.empty(0, np.int32)
    appended = AppendedRows(candidates[:33], candidates[33:])
    found = BestCandidates(appended).find(queries, lengths, none, k)
    assert found.rows.tolist() == one_by_one(candidates, queries, k)
    assert found.lengths.tolist() == [min(k, 40)] * 5
