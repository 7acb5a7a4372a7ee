from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.bundle.index_description import Backend, IndexDescription
from training.errors import ExportError
from training.export import index_recall
from training.export.index_recall import (
    LEAST_RECALL,
    SampledQueries,
    build_measured_index,
    exact_top_k,
)

Array = NDArray[np.float32]


def cloud(number: int = 3_000, dimension: int = 16, seed: int = 0) -> Array:
    """Embeddings of very different lengths, as popular and unknown movies have."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(0, 0.7, (number, 1))
    return (random.normal(size=(number, dimension)) * lengths).astype(np.float32)


def some_queries(dimension: int = 16, number: int = 40) -> SampledQueries:
    random = np.random.default_rng(1)
    seen = [random.choice(3_000, 5 * (at % 8), replace=False).astype(np.int32) for at in range(number)]
    return SampledQueries(random.normal(size=(number, dimension)).astype(np.float32), seen)


def measured_as_served(
    directory: Path, embeddings: Array, queries: SampledQueries, index: IndexDescription, k: int
) -> float:
    """The recall of what the service itself finds in these files, asking for k and all that was seen."""
    CandidateIndex.write_candidates(directory, embeddings)
    served = CandidateIndex.open(directory, index, embeddings.shape[1])
    shares = []
    for query, seen in zip(queries.embeddings, queries.seen, strict=True):
        scores = {row: score for row, score in enumerate((embeddings @ query).tolist()) if row not in seen}
        best = sorted(scores, key=lambda row: -scores[row])[:k]
        found = served.nearest(query, k + len(seen), deep=k > 10)
        if found is None:  # every candidate is scored
            found = np.arange(len(embeddings), dtype=np.int32)
        if best:
            shares.append(len(set(found.tolist()) & set(best)) / len(best))
    return float(np.mean(shares))


@pytest.mark.parametrize("backend", ["annoy", "usearch"])
def test_recall_is_that_of_the_answers_served(tmp_path: Path, backend: Backend) -> None:
    if backend == "usearch":
        pytest.importorskip("usearch", reason="optional: requirements/usearch.txt")
    embeddings, queries = cloud(), some_queries()
    description = build_measured_index(tmp_path, embeddings, queries, backend=backend)
    assert (description.backend, description.candidates) == (backend, 3_000)
    for k in (10, 100):
        served = measured_as_served(tmp_path, embeddings, queries, description, k)
        assert description.to_document()[f"recall_at_{k}"] == pytest.approx(served)
        assert served >= LEAST_RECALL


def test_an_index_that_misses_too_much_is_searched_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, queries = cloud(), some_queries()
    monkeypatch.setattr(index_recall, "LEAST_RECALL", 0.0)
    easy = build_measured_index(tmp_path, embeddings, queries)
    monkeypatch.setattr(index_recall, "LEAST_RECALL", 0.9999)
    hard = build_measured_index(tmp_path, embeddings, queries)
    assert easy.recall_at_10 is not None
    assert hard.recall_at_10 is not None
    assert easy.recall_at_10 < 0.9999 <= hard.recall_at_10
    assert hard.search_k > easy.search_k


def test_past_the_ceiling_export_gives_up_saying_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_recall, "LEAST_RECALL", 0.9999)
    monkeypatch.setattr(index_recall, "MOST_SEARCH_K", 600)
    with pytest.raises(
        ExportError, match=r"recall stays at 0\.\d+ .* search_k 600; expected at least 0\.9999"
    ):
        build_measured_index(tmp_path, cloud(), some_queries())


def test_people_who_have_seen_everything_do_not_count(tmp_path: Path) -> None:
    embeddings = cloud(30)
    everything = SampledQueries(cloud(2), [np.arange(30, dtype=np.int32)] * 2)
    description = build_measured_index(tmp_path, embeddings, everything)
    assert (description.recall_at_10, description.recall_at_100) == (1, 1)


@pytest.mark.parametrize("number", [1, 2, 15])
def test_a_catalogue_may_be_very_small(number: int, tmp_path: Path) -> None:
    queries = SampledQueries(cloud(2), [np.array([], np.int32)] * 2)
    description = build_measured_index(tmp_path, cloud(number), queries)
    assert measured_as_served(tmp_path, cloud(number), queries, description, 10) == 1


def test_the_exact_best_are_in_order_with_ties_by_row_and_without_the_seen() -> None:
    embeddings = np.array([[1], [3], [2], [3], [0]], np.float32)
    query, seen = np.array([1], np.float32), np.array([2], np.int32)
    assert exact_top_k(embeddings, query, seen[:0], 3).tolist() == [1, 3, 2]
    assert exact_top_k(embeddings, query, seen, 3).tolist() == [1, 3, 0]
    assert exact_top_k(embeddings, query, seen, 99).tolist() == [1, 3, 0, 4]
    assert exact_top_k(embeddings, query, np.arange(5, dtype=np.int32), 3).tolist() == []
