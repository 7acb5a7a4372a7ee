"""What scoring reads of a bundle, verified and opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import open_candidates
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import verify_files
from service.bundle.histories import Histories
from service.bundle.manifest import Manifest, read_manifest
from service.bundle.rating_head import RatingHead
from service.bundle.required_files import require_listed
from service.bundle.stored_states import open_stored_states


@dataclass(frozen=True, eq=False)
class ScoredBundle:
    """A bundle without its index, for every candidate is scored, and without its model.

    Attributes:
        directory: Of the bundle.
        manifest: Of it.
        catalogue: The movies.
        histories: The users.
        candidates: float32 `[num_candidates, embedding_dimension]`.
        rating_head: Predicts ratings; None where the bundle predicts none.
        states: float32 `[num_users, S]`, query states; None where the model must compute them.
    """

    directory: Path
    manifest: Manifest
    catalogue: Catalogue
    histories: Histories
    candidates: NDArray[np.float32]
    rating_head: RatingHead | None
    states: NDArray[np.float32] | None

    @classmethod
    def open(cls, directory: Path, *, verify: bool = True) -> ScoredBundle:
        """Open a bundle.

        Args:
            directory: `<artifacts>/<bundle_id>`.
            verify: Whether to read every file for its checksum; workers need not repeat that.

        Raises:
            BundleError: Its subclass and message say which file is wrong, and how.
        """
        manifest = read_manifest(directory)
        require_listed(directory, manifest)
        if verify:
            verify_files(directory, manifest)
        candidates = open_candidates(directory, manifest.index, manifest.embedding_dimension)
        catalogue = Catalogue.open(directory, num_candidates=len(candidates))
        histories = Histories.open(directory, num_candidates=len(candidates))
        return cls(
            directory,
            manifest,
            catalogue,
            histories,
            candidates,
            None if manifest.rating_scale is None else RatingHead.open(directory, manifest),
            open_stored_states(directory, manifest, len(histories)),
        )
