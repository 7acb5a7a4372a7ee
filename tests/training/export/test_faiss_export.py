from pathlib import Path

import pytest

from service.bundle import faiss_index
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
def test_a_bundle_with_lists_of_codes_is_exported_and_served(
    random_model: TrainedModel, train_table: RatingsTable, tmp_path: Path
) -> None:
    pytest.importorskip("faiss", reason="optional: requirements/faiss.txt")
    bundle = export_bundle(random_model, train_table, None, tmp_path, index_backend="faiss")
    manifest = read_manifest(bundle)
    assert manifest.index.backend == "faiss"
    assert "candidates.faiss" in manifest.files
    assert not (bundle / "candidates.ann").exists()
    recommender = load_recommender(bundle, Settings())
    query = RecommendQuery(user_id=random_model.histories.user_ids[0], k=3)
    assert len(recommender.recommend(query).rows) == 3
    assert (
        recommender.recommend(query).rows.tolist() == recommender.recommend(query, exactly=True).rows.tolist()
    )


def test_the_missing_package_is_told_before_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "is_installed", lambda: False)
    with pytest.raises(ConfigurationError, match=r"requirements/faiss\.txt"):
        require_index("faiss")
    require_index("annoy")
