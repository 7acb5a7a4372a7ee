from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from any_manifest import MANIFEST
from tiny_bundle import seal

from service.bundle.index_description import IndexDescription
from service.bundle.required_files import required_files
from service.errors import BundleInconsistent
from service.loading import load_recommender
from service.settings import Settings

WITHOUT_INDEX = {
    "candidates.npy",
    "catalogue.json",
    "golden.json",
    *(f"histories/{name}.npy" for name in ("user_id_bytes", "user_id_offsets", "offsets", "movie_rows")),
    *("histories/ratings.npy", "histories/timestamps.npy"),
    *(f"ratings/{name}" for name in ("vectors.npy", "biases.npy", "confidences.npy", "head.json")),
    "model/saved_model.pb",
}


@pytest.mark.parametrize(
    ("backend", "index_file"),
    [("annoy", "candidates.ann"), ("usearch", "candidates.usearch"), ("faiss", "candidates.faiss")],
)
def test_a_bundle_has_every_format_and_the_index_of_its_manifest(
    backend: Literal["annoy", "usearch", "faiss"], index_file: str
) -> None:
    index = IndexDescription(backend=backend, candidates=5, search_k=1)
    assert required_files(replace(MANIFEST, index=index)) == WITHOUT_INDEX | {index_file}


def test_a_bundle_may_have_no_index_and_no_ratings() -> None:
    exact = replace(MANIFEST, index=IndexDescription(backend="exact", candidates=5))
    assert required_files(exact) == WITHOUT_INDEX
    assert required_files(replace(exact, rating_scale=None)) == {
        name for name in WITHOUT_INDEX if not name.startswith("ratings/")
    }


@pytest.mark.parametrize("name", sorted(WITHOUT_INDEX | {"candidates.ann"}))
def test_a_bundle_whose_manifest_does_not_list_a_file_is_refused(artifacts: Path, name: str) -> None:
    (artifacts / "tiny-1" / name).unlink()
    seal(artifacts / "tiny-1")
    with pytest.raises(BundleInconsistent, match=rf"does not list \['{name}'\]"):
        load_recommender(artifacts / "tiny-1", Settings())
