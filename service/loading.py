"""Load a bundle into a recommender, verified and warmed, or say which file is wrong."""

from __future__ import annotations

from pathlib import Path

from service import golden
from service.bundle.candidate_index import CandidateIndex
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import verify_files
from service.bundle.golden_requests import GOLDEN_FILE
from service.bundle.histories import Histories
from service.bundle.manifest import MANIFEST_FILE, read_manifest
from service.bundle.query_tower import QueryTower
from service.bundle.rating_head import RatingHead
from service.bundle.required_files import require_listed
from service.bundle.saved_model import MODEL_DIRECTORY
from service.bundle.stored_states import check_stored_states, open_stored_states
from service.errors import BundleDisagrees, BundleError, BundleInconsistent
from service.recommending.recommender import Recommender
from service.settings import Settings


def load_recommender(bundle_directory: Path, settings: Settings) -> Recommender:
    """Verify, load and warm a bundle.

    Args:
        bundle_directory: `<artifacts>/<bundle_id>`.
        settings: Numbers of threads.

    Raises:
        BundleError: Its subclass and message say which file is wrong, and how.
    """
    manifest = read_manifest(bundle_directory)
    require_listed(bundle_directory, manifest)
    verify_files(bundle_directory, manifest)
    index = CandidateIndex.open(bundle_directory, manifest.index, manifest.embedding_dimension)
    catalogue = Catalogue.open(bundle_directory, num_candidates=len(index))
    histories = Histories.open(bundle_directory, num_candidates=len(index))
    counts = {"users": len(histories), "movies": len(catalogue), "ratings": histories.num_ratings}
    for name, found in counts.items():
        if manifest.dataset.get(name) != found:
            raise BundleInconsistent(
                f"{bundle_directory / MANIFEST_FILE}: expected {found} {name}, which is what the files hold, "
                f"found {manifest.dataset.get(name)!r}; export again"
            )
    rating_head = None if manifest.rating_scale is None else RatingHead.open(bundle_directory, manifest)
    # TensorFlow last: whatever else is wrong shows without its seconds and its memory.
    tower = QueryTower.open(
        bundle_directory,
        intra_op_threads=settings.tensorflow_intra_op_threads,
        inter_op_threads=settings.tensorflow_inter_op_threads,
        delay_seconds=settings.model_delay_ms / 1000,
    )
    width = manifest.embedding_dimension if rating_head is None else rating_head.state_width
    if tower.width != width:
        raise BundleInconsistent(
            f"{bundle_directory / MODEL_DIRECTORY}: expected query states of {width} columns, for embeddings "
            f"of dimension {manifest.embedding_dimension} and those of ratings/, if any, got {tower.width}; "
            "export again"
        )
    stored_states = open_stored_states(bundle_directory, manifest, len(histories))
    if stored_states is not None:
        check_stored_states(bundle_directory, stored_states, tower, histories, manifest.max_history)
    recommender = Recommender(
        manifest,
        catalogue,
        histories,
        index,
        tower,
        rating_head,
        index_kind=settings.index,
        # A delay for tests of overload must delay every request, also those that need no model.
        cached_users=0 if settings.model_delay_ms else settings.cached_users,
        stored_states=None if settings.model_delay_ms else stored_states,
        explore=settings.explore,
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
