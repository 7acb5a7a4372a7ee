from dataclasses import replace
from pathlib import Path
from typing import Any

import annoy
import numpy as np
import pytest
from embedding_cloud import DIMENSION, cloud, mean_recall

from service.bundle.annoy_index import INDEX_FILE, AnnoyIndex
from service.bundle.augmentation import augment
from service.errors import BundleInconsistent, BundleUnreadable


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    written = []
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        (tmp_path / name).mkdir()
        AnnoyIndex.build(tmp_path / name, cloud(500), trees=4, seed=seed)
        written.append((tmp_path / name / INDEX_FILE).read_bytes())
    assert written[0] == written[1] != written[2]


def test_an_index_holds_the_augmented_vectors_by_row(tmp_path: Path) -> None:
    AnnoyIndex.build(tmp_path, cloud(50), trees=3, seed=0)
    read = annoy.AnnoyIndex(DIMENSION + 1, "angular")
    read.load(str(tmp_path / "candidates.ann"))
    assert (read.get_n_items(), read.get_n_trees()) == (50, 3)
    np.testing.assert_array_equal(
        np.array([read.get_item_vector(row) for row in range(50)], np.float32), augment(cloud(50))
    )


def test_an_opened_index_finds_what_the_built_one_finds_which_is_nearly_the_best(tmp_path: Path) -> None:
    candidates = cloud(2_000)
    built = AnnoyIndex.build(tmp_path, candidates, trees=8, seed=0)
    opened = AnnoyIndex.open(tmp_path, built.describe(500, 600), DIMENSION)
    assert mean_recall(opened, candidates, rows=50, search_k=4_000, most=50) > 0.97
    for query in cloud(30, seed=1):
        assert opened.nearest(query, 50, 4_000).tolist() == built.nearest(query, 50, 4_000).tolist()


def test_an_index_describes_itself(tmp_path: Path) -> None:
    document = AnnoyIndex.build(tmp_path, cloud(500), trees=5, seed=0).describe(500, 600).to_document()
    assert document == {
        "backend": "annoy",
        "metric": "angular",
        "augmentation": "sqrt(M^2 - |x|^2)",
        "candidates": 500,
        "trees": 5,
        "search_k": 500,
        "deep_search_k": 600,
    }


@pytest.mark.parametrize("changes", [{"trees": 4}, {"candidates": 51}])
def test_an_index_of_other_counts_than_the_manifest_says_is_inconsistent(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    described = AnnoyIndex.build(tmp_path, cloud(50), trees=3, seed=0).describe(500, 500)
    with pytest.raises(BundleInconsistent, match=r"candidates\.ann: expected .* got"):
        AnnoyIndex.open(tmp_path, replace(described, **changes), DIMENSION)


def test_a_missing_index_is_unreadable(tmp_path: Path) -> None:
    described = AnnoyIndex.build(tmp_path, cloud(50), trees=3, seed=0).describe(500, 500)
    (tmp_path / INDEX_FILE).unlink()
    with pytest.raises(BundleUnreadable, match=r"candidates\.ann: Annoy cannot load it"):
        AnnoyIndex.open(tmp_path, described, DIMENSION)
