"""The optional index, as training writes it and as the service asks it; skipped where it is not there."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.bundle import CANDIDATES_FILE, USEARCH_FILE
from service.bundle.candidate_index import CandidateIndex
from service.errors import BundleIncompatible, BundleInconsistent, BundleUnreadable
from training.export.index_recall import LEAST_RECALL, SampledQueries
from training.export.usearch_index import build_measured_usearch, build_usearch

pytest.importorskip("usearch", reason="optional: requirements/usearch.txt")

Array = NDArray[np.float32]
NUMBER, DIMENSION = 3_000, 8


def cloud(seed: int, number: int = NUMBER) -> Array:
    """Embeddings of very different lengths, as popular and unknown movies have."""
    random = np.random.default_rng(seed)
    lengths = random.lognormal(0, 0.7, (number, 1))
    return (random.normal(size=(number, DIMENSION)) * lengths).astype(np.float32)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    directory = tmp_path_factory.mktemp("usearch")
    np.save(directory / CANDIDATES_FILE, cloud(0))
    random = np.random.default_rng(1)
    seen = [random.choice(NUMBER, 5 * (at % 4), replace=False).astype(np.int32) for at in range(20)]
    index = build_measured_usearch(cloud(0), SampledQueries(cloud(2, 20), seen), directory / USEARCH_FILE)
    return directory, index


def test_the_service_finds_by_dot_product_what_training_measured(bundle: tuple[Path, dict[str, Any]]) -> None:
    directory, measured = bundle
    served = CandidateIndex(directory, measured, DIMENSION)
    shares: list[float] = []
    for query in cloud(3, 40):
        exact = np.argsort(-(cloud(0) @ query), kind="stable")[:10]
        found = served.nearest(query, 30)
        assert found is not None
        assert found.dtype == np.int32
        assert np.all(np.diff(found) > 0)
        shares.append(float(np.isin(exact, found).mean()))
    assert np.mean(shares) > 0.97
    assert min(measured["recall_at_10"], measured["recall_at_100"]) >= LEAST_RECALL
    assert served.nearest(cloud(3, 1)[0], NUMBER // 2) is None


def test_one_thread_writes_the_same_index_again(tmp_path: Path) -> None:
    for name in ("first", "again"):
        build_usearch(cloud(0, 300), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize("changes", [{"metric": "cos"}, {"augmentation": "none"}])
def test_an_index_of_another_kind_is_inconsistent(
    bundle: tuple[Path, dict[str, Any]], changes: dict[str, Any]
) -> None:
    directory, measured = bundle
    with pytest.raises(BundleInconsistent, match="expected an index of"):
        CandidateIndex(directory, measured | changes, DIMENSION)


@pytest.mark.parametrize(
    ("others", "said"),
    [(cloud(9), "row 0 is not"), (cloud(0, 10), "expected 3000 vectors of dimension 9, got 10")],
)
def test_an_index_of_other_candidates_is_inconsistent(
    bundle: tuple[Path, dict[str, Any]], tmp_path: Path, others: Array, said: str
) -> None:
    np.save(tmp_path / CANDIDATES_FILE, cloud(0))
    build_usearch(others, tmp_path / USEARCH_FILE)
    with pytest.raises(BundleInconsistent, match=said):
        CandidateIndex(tmp_path, bundle[1], DIMENSION)


def test_what_is_no_index_is_unreadable(bundle: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    np.save(tmp_path / CANDIDATES_FILE, cloud(0))
    (tmp_path / USEARCH_FILE).write_bytes(b"no index" * 100)
    with pytest.raises(BundleUnreadable, match="copy it again"):
        CandidateIndex(tmp_path, bundle[1], DIMENSION)


def test_without_the_package_the_error_says_what_to_install(
    bundle: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with pytest.raises(BundleIncompatible, match=r"requirements/usearch\.txt"):
        CandidateIndex(bundle[0], bundle[1], DIMENSION)
