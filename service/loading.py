"""Makes a recommender of a bundle's directory, or says which file is wrong."""

from __future__ import annotations

from pathlib import Path

from service import golden
from service.bundle import (
    CANDIDATES_FILE,
    CATALOGUE_FILE,
    GOLDEN_FILE,
    HISTORY_ARRAYS,
    INDEX_FILES,
    MANIFEST_FILE,
    MODEL_DIRECTORY,
    RATING_ARRAYS,
    RATING_HEAD_FILE,
)
from service.bundle.candidate_index import CandidateIndex
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import verify_files
from service.bundle.histories import Histories
from service.bundle.manifest import read_manifest
from service.bundle.query_tower import QueryTower
from service.bundle.rating_head import RatingHead
from service.errors import BundleDisagrees, BundleError, BundleInconsistent
from service.recommending.recommender import Recommender
from service.settings import Settings

_REQUIRED_FILES = {
    CANDIDATES_FILE,
    CATALOGUE_FILE,
    GOLDEN_FILE,
    f"{MODEL_DIRECTORY}/saved_model.pb",
    *HISTORY_ARRAYS.values(),
    RATING_HEAD_FILE,
    *RATING_ARRAYS.values(),
}


def load_recommender(bundle_directory: Path, settings: Settings) -> Recommender:
    """Verifies, loads and warms a bundle.

    Args:
        bundle_directory: `<artifacts>/<bundle_id>`.
        settings: Numbers of threads.

    Raises:
        BundleError: Its subclass and message say which file is wrong, and how.
    """
    manifest = read_manifest(bundle_directory)
    index_file = INDEX_FILES.get(str(manifest.index.get("backend")), INDEX_FILES["annoy"])
    if unlisted := sorted({*_REQUIRED_FILES, index_file} - manifest.files.keys()):
        raise BundleInconsistent(f"{bundle_directory}: the manifest does not list {unlisted}; export again")
    verify_files(bundle_directory, manifest)
    index = CandidateIndex(bundle_directory, manifest.index, manifest.embedding_dimension)
    catalogue = Catalogue.load(bundle_directory)
    if len(catalogue) != len(index):
        raise BundleInconsistent(
            f"{bundle_directory / CATALOGUE_FILE}: expected {len(index)} movies, one for each candidate, "
            f"got {len(catalogue)}; export again"
        )
    histories = Histories(bundle_directory, num_candidates=len(index))
    counts = {"users": len(histories), "movies": len(catalogue), "ratings": histories.num_ratings}
    for name, found in counts.items():
        if manifest.dataset.get(name) != found:
            raise BundleInconsistent(
                f"{bundle_directory / MANIFEST_FILE}: expected {found} {name}, which is what the files hold, "
                f"found {manifest.dataset.get(name)!r}; export again"
            )
    rating_head = RatingHead(bundle_directory, manifest)
    # TensorFlow last: whatever else is wrong shows without its seconds and its memory.
    tower = QueryTower(bundle_directory, settings)
    if tower.width != rating_head.state_width:
        raise BundleInconsistent(
            f"{bundle_directory / MODEL_DIRECTORY}: expected query states of {rating_head.state_width} "
            f"columns, for embeddings of dimension {manifest.embedding_dimension} and those of ratings/, "
            f"got {tower.width}; export again"
        )
    recommender = Recommender(
        manifest,
        catalogue,
        histories,
        index,
        tower,
        rating_head,
        index_kind=settings.index,
        # A delay is there to be felt, also by whom the model need not read again.
        remembered_users=0 if settings.model_delay_ms else settings.cached_users,
    )
    try:
        golden.replay(recommender, bundle_directory)
    except BundleError:
        raise
    except Exception as error:
        raise BundleDisagrees(
            f"{bundle_directory / GOLDEN_FILE}: expected answers, got {type(error).__name__} ({error}); "
            "export again"
        ) from error
    return recommender
