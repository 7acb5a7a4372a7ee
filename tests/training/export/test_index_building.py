from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.bundle.index_description import Backend, IndexDescription
from training.export import index_recall
from training.export.exact_answers import ExactAnswers, exact_top_k
from training.export.index_recall import LEAST_RECALL, build_measured_index
from training.export.sampled_queries import SampledQueries

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


@pytest.mark.parametrize("backend", ["annoy", "usearch", "faiss"])
def test_recall_is_that_of_the_answers_served(tmp_path: Path, backend: Backend) -> None:
    if backend != "annoy":
        pytest.importorskip(backend, reason=f"optional: requirements/{backend}.txt")
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
    monkeypatch.setattr(index_recall, "CHEAP_SEARCH_K", 100_000)
    monkeypatch.setattr(index_recall, "LEAST_RECALL", 0.0)
    easy = build_measured_index(tmp_path, embeddings, queries)
    monkeypatch.setattr(index_recall, "LEAST_RECALL", 0.9999)
    hard = build_measured_index(tmp_path, embeddings, queries)
    assert (easy.recall_at_10 or 1) < 0.9999 <= (hard.recall_at_10 or 0)
    assert (hard.search_k or 0) > (easy.search_k or 0)


def test_the_effort_is_the_least_of_its_steps_that_is_enough(tmp_path: Path) -> None:
    embeddings, queries = cloud(), some_queries(number=100)
    found = build_measured_index(tmp_path, embeddings, queries)
    efforts = [500]
    while efforts[-1] < (found.deep_search_k or 0):
        efforts.append(-(-efforts[-1] * 11 // 10))
    recalls = {
        effort: measured_as_served(
            tmp_path, embeddings, queries, replace(found, search_k=effort, deep_search_k=effort), 100
        )
        for effort in efforts[efforts.index(found.search_k or 0) :]
    }
    assert len(recalls) > 2
    assert [effort for effort, recall in recalls.items() if recall >= 0.99] == [found.deep_search_k]
    assert found.recall_at_100 == pytest.approx(recalls[efforts[-1]])


def test_where_no_effort_is_enough_every_candidate_will_be_scored_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_recall, "LEAST_RECALL", 1.1)  # what no index has
    said: list[str] = []
    description = build_measured_index(tmp_path, cloud(4_000), some_queries(), on_progress=said.append)
    assert description.to_document() == {
        "backend": "exact",
        "candidates": 4_000,
        "recall_at_10": 1,
        "recall_at_100": 1,
    }
    assert list(tmp_path.iterdir()) == []
    assert "annoy misses too much" in said[-1]
    assert "every candidate will be scored" in said[-1]


def test_embeddings_that_are_all_alike_can_be_exported(tmp_path: Path) -> None:
    """Of equal scores any are as good: here every answer is right."""
    alike = np.tile(cloud(1), (3_000, 1))
    description = build_measured_index(tmp_path, alike, some_queries())
    assert (description.recall_at_10, description.recall_at_100) == (1, 1)


def test_no_index_is_built_where_none_is_wanted(tmp_path: Path) -> None:
    assert build_measured_index(tmp_path, cloud(), some_queries(), backend="exact").backend == "exact"
    assert list(tmp_path.iterdir()) == []


def test_cold_start_users_count_where_the_others_have_seen_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, cold = cloud(), some_queries(number=80)
    everything = SampledQueries(
        np.concatenate([cloud(1, seed=3), cold.embeddings]),
        [np.arange(3_000, dtype=np.int32), *cold.seen],
        80,
    )
    found = build_measured_index(tmp_path, embeddings, everything)
    assert found == build_measured_index(tmp_path, embeddings, cold)
    assert (found.search_k or 0) > 500
    # Beside others they may have a little less.
    monkeypatch.setattr(index_recall, "CHEAP_SEARCH_K", 100_000)
    monkeypatch.setattr(index_recall, "LEAST_COLD_RECALL", 0.9999)
    known = some_queries(number=40)
    both = SampledQueries(
        np.concatenate([known.embeddings, cold.embeddings]), known.seen + cold.seen, num_cold=80
    )
    strict = build_measured_index(tmp_path, embeddings, both)
    assert (strict.search_k or 0) > (found.search_k or 0)


def test_every_part_of_a_sample_has_both_kinds() -> None:
    sample = SampledQueries(cloud(10), [np.array([at], np.int32) for at in range(10)], num_cold=3)
    part = sample.every(3)
    assert [seen.tolist() for seen in part.seen] == [[0], [3], [6], [7]]
    assert part.is_cold.tolist() == [False, False, False, True]
    np.testing.assert_array_equal(part.embeddings, sample.embeddings[[0, 3, 6, 7]])


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


def test_a_share_counts_candidates_as_good_as_the_exact_ones() -> None:
    embeddings = np.array([[5], [4], [3], [3], [3], [0]], np.float32)
    queries = SampledQueries(
        np.ones((3, 1), np.float32), [np.array(seen, np.int32) for seen in ([], [0], range(6))]
    )
    answers = ExactAnswers(embeddings, queries, (3, 10))
    found = [np.array(rows, np.int32) for rows in ([0, 1, 4], [1, 2, 5], [0, 3, 4, 5])]
    assert [answers.share(0, rows, 3) for rows in found] == pytest.approx([1, 2 / 3, 1])
    assert [answers.share(1, rows, 3) for rows in found] == pytest.approx([1, 2 / 3, 2 / 3])
    assert answers.share(0, np.arange(6, dtype=np.int32), 10) == 1
    assert answers.share(0, None, 3) == 1
    assert np.isnan(answers.share(2, found[0], 3))


def test_the_exact_best_are_in_order_with_ties_by_row_and_without_the_seen() -> None:
    embeddings = np.array([[1], [3], [2], [3], [0]], np.float32)
    query, seen = np.array([1], np.float32), np.array([2], np.int32)
    assert exact_top_k(embeddings, query, seen[:0], 3).tolist() == [1, 3, 2]
    assert exact_top_k(embeddings, query, seen, 3).tolist() == [1, 3, 0]
    assert exact_top_k(embeddings, query, seen, 99).tolist() == [1, 3, 0, 4]
    assert exact_top_k(embeddings, query, np.arange(5, dtype=np.int32), 3).tolist() == []
