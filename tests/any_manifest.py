"""A manifest with a value in every field, of a bundle without files."""

from service.bundle.index_description import IndexDescription
from service.bundle.manifest import Manifest

MANIFEST = Manifest(
    bundle_id="b1",
    created_utc="2025-01-01T00:00:00Z",
    dataset={"name": "Amélie"},
    hyperparameters={"layers": [64, 32]},
    seed=1,
    embedding_dimension=32,
    max_history=50,
    rating_scale=(0.5, 5.0),
    index=IndexDescription(backend="annoy", candidates=1_000, trees=20, search_k=100, deep_search_k=200),
    metrics=None,
    libraries={},
    files={},
)
