from pathlib import Path

import numpy as np
import pytest

from benchmarks.index_trial import Queries, build, measure
from service.bundle.candidate_index import CandidateIndex
from service.bundle.index_description import Backend

random = np.random.default_rng(0)
CANDIDATES = random.normal(size=(2_000, 8)).astype(np.float32)
SEEN = random.integers(2_000, size=(30, 5)).astype(np.int32)
QUERIES = Queries.of(CANDIDATES, random.normal(size=(30, 8)).astype(np.float32), SEEN)


def test_the_exact_results_are_the_best_unseen_candidates() -> None:
    for place in range(3):
        scores = {row: float(CANDIDATES[row] @ QUERIES.embeddings[place]) for row in range(2_000)}
        unseen = [row for row in sorted(scores, key=lambda row: -scores[row]) if row not in SEEN[place]]
        assert set(QUERIES.best[place].tolist()) == set(unseen[:10])


@pytest.mark.parametrize("backend", ["annoy", "usearch", "faiss", "exact"])
def test_search_k_is_raised_until_the_recall_is_reached(backend: Backend, tmp_path: Path) -> None:
    if backend in {"usearch", "faiss"}:
        pytest.importorskip(backend, reason=f"optional: requirements/{backend}.txt")
    CandidateIndex.write_candidates(tmp_path, CANDIDATES)
    if backend != "exact":
        assert build(tmp_path, backend, threads=1)["file_mib"] > 0.03
    easy, hard = (measure(tmp_path, backend, QUERIES, recall) for recall in (0.0, 0.999))
    assert hard["recall"] >= 0.999
    assert easy["recall"] <= hard["recall"]
    assert easy["search_k"] <= hard["search_k"]
    assert 0 < hard["p50_ms"] <= hard["p99_ms"]
