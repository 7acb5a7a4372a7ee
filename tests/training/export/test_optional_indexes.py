"""Bundles whose index is made by a package that need not be installed."""

from pathlib import Path
from types import ModuleType

import pytest

from service.bundle import faiss_index, usearch_index
from service.bundle.index_description import Backend
from service.bundle.manifest import read_manifest
from service.loading import load_recommender
from service.recommending.queries import RecommendQuery
from service.settings import Settings
from training.data.table import RatingsTable
from training.errors import ConfigurationError
from training.export.bundle_export import export_bundle
from training.export.index_recall import require_index
from training.model.trained_model import TrainedModel


@pytest.mark.usefixtures("verify_here")
@pytest.mark.parametrize("backend", ["faiss", "usearch"])
def test_a_bundle_with_such_an_index_is_exported_and_served(
    backend: Backend, random_model: TrainedModel, train_table: RatingsTable, tmp_path: Path
) -> None:
    pytest.importorskip(backend, reason=f"optional: requirements/{backend}.txt")
    bundle = export_bundle(random_model, train_table, None, tmp_path, index_backend=backend)
    manifest = read_manifest(bundle)
    assert manifest.index.backend == backend
    assert f"candidates.{backend}" in manifest.files
    assert not (bundle / "candidates.ann").exists()
    recommender = load_recommender(bundle, Settings())
    query = RecommendQuery(user_id=random_model.histories.user_ids[0], k=3)
    found, exact = (recommender.recommend(query, exactly=exactly).rows.tolist() for exactly in (False, True))
    assert len(found) == 3
    assert found == exact


@pytest.mark.parametrize(("backend", "module"), [("faiss", faiss_index), ("usearch", usearch_index)])
def test_the_missing_package_is_told_before_the_training(
    backend: Backend, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_installed", lambda: False)
    with pytest.raises(ConfigurationError, match=rf"requirements/{backend}\.txt"):
        require_index(backend)
    require_index("annoy")
