from pathlib import Path

import numpy as np
import pytest
from annoy import AnnoyIndex
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from service.bundle import CANDIDATES_FILE, INDEX_FILE
from service.bundle.candidate_index import CandidateIndex
from training.errors import ExportError
from training.export import index_recall as candidate_index
from training.export.index_recall import (
    LEAST_RECALL,
    SampledQueries,
    augment,
    build_index,
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


@given(
    embeddings=arrays(np.float32, (6, 3), elements=st.floats(-4, 4, width=32)),
    query=arrays(np.float32, 3, elements=st.floats(-4, 4, width=32)),
)
def test_angles_to_augmented_vectors_order_as_dot_products_do(embeddings: Array, query: Array) -> None:
    augmented = augment(embeddings).astype(np.float64)
    assert augmented.shape == (6, 4)
    np.testing.assert_array_equal(augmented[:, :3], embeddings)
    longest = np.sqrt(np.max(np.sum(embeddings.astype(np.float64) ** 2, axis=1)))
    np.testing.assert_allclose(np.linalg.norm(augmented, axis=1), longest, rtol=1e-5, atol=1e-5)
    if longest > 0 and np.linalg.norm(query) > 0:
        cosines = augmented @ [*query, 0] / longest / np.linalg.norm(query)
        dots = embeddings.astype(np.float64) @ query
        np.testing.assert_allclose(cosines * longest * np.linalg.norm(query), dots, atol=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    embeddings = cloud(500)
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        build_index(embeddings, trees=4, seed=seed, path=tmp_path / name)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("first", "again", "other"))
    assert first == again != other


def test_an_index_holds_the_augmented_vectors_by_row(tmp_path: Path) -> None:
    embeddings = cloud(50)
    build_index(embeddings, trees=3, seed=0, path=tmp_path / "index")
    read = AnnoyIndex(17, "angular")
    read.load(str(tmp_path / "index"))
    assert (read.get_n_items(), read.get_n_trees()) == (50, 3)
    np.testing.assert_array_equal(
        np.array([read.get_item_vector(row) for row in range(50)], np.float32), augment(embeddings)
    )


def measured_as_served(
    directory: Path, embeddings: Array, queries: SampledQueries, index: dict[str, object], k: int
) -> float:
    """The recall of what the service itself finds in these files, asking for k and all that was seen."""
    np.save(directory / CANDIDATES_FILE, embeddings)
    served = CandidateIndex(directory, index, embeddings.shape[1])
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


def test_recall_is_that_of_the_answers_served(tmp_path: Path) -> None:
    embeddings, queries = cloud(), some_queries()
    description = build_measured_index(embeddings, queries, 0, tmp_path / INDEX_FILE)
    assert description["candidates"] == 3_000
    assert (description["backend"], description["metric"]) == ("annoy", "angular")
    for k in (10, 100):
        served = measured_as_served(tmp_path, embeddings, queries, description, k)
        assert description[f"recall_at_{k}"] == pytest.approx(served)
        assert served >= LEAST_RECALL


def test_an_index_that_misses_too_much_is_searched_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings, queries = cloud(), some_queries()
    monkeypatch.setattr(candidate_index, "LEAST_RECALL", 0.0)
    easy = build_measured_index(embeddings, queries, 0, tmp_path / "easy")
    monkeypatch.setattr(candidate_index, "LEAST_RECALL", 0.9999)
    hard = build_measured_index(embeddings, queries, 0, tmp_path / "hard")
    assert easy["recall_at_10"] < 0.9999 <= hard["recall_at_10"]
    assert hard["search_k"] > easy["search_k"]


def test_past_the_ceiling_export_gives_up_saying_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidate_index, "LEAST_RECALL", 0.9999)
    monkeypatch.setattr(candidate_index, "MOST_SEARCH_K", 600)
    with pytest.raises(
        ExportError, match=r"recall stays at 0\.\d+ .* search_k 600; expected at least 0\.9999"
    ):
        build_measured_index(cloud(), some_queries(), 0, tmp_path / "index")


def test_people_who_have_seen_everything_do_not_count(tmp_path: Path) -> None:
    embeddings = cloud(30)
    everything = SampledQueries(cloud(2), [np.arange(30, dtype=np.int32)] * 2)
    description = build_measured_index(embeddings, everything, 0, tmp_path / "index")
    assert (description["recall_at_10"], description["recall_at_100"]) == (1, 1)


@pytest.mark.parametrize("number", [1, 2, 15])
def test_a_catalogue_may_be_very_small(number: int, tmp_path: Path) -> None:
    queries = SampledQueries(cloud(2), [np.array([], np.int32)] * 2)
    description = build_measured_index(cloud(number), queries, 0, tmp_path / INDEX_FILE)
    assert measured_as_served(tmp_path, cloud(number), queries, description, 10) == 1


def test_the_exact_best_are_in_order_with_ties_by_row_and_without_the_seen() -> None:
    embeddings = np.array([[1], [3], [2], [3], [0]], np.float32)
    query, seen = np.array([1], np.float32), np.array([2], np.int32)
    assert exact_top_k(embeddings, query, seen[:0], 3).tolist() == [1, 3, 2]
    assert exact_top_k(embeddings, query, seen, 3).tolist() == [1, 3, 0]
    assert exact_top_k(embeddings, query, seen, 99).tolist() == [1, 3, 0, 4]
    assert exact_top_k(embeddings, query, np.arange(5, dtype=np.int32), 3).tolist() == []
