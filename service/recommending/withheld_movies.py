"""Candidates that the store of feedback withholds from all users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.live.live_users import Withheld


class WithheldMovies:
    """Finds the rows of withheld movies.

    Args:
        catalogue: Of the bundle.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._found = 0, np.empty(0, np.int32)

    def rows(self, withheld: Withheld) -> NDArray[np.int32]:
        """int32, the candidate rows of those that the bundle knows."""
        version, rows = self._found
        if version != withheld.version:
            rows = self._catalogue.known_rows(sorted(withheld.movie_ids))
            self._found = withheld.version, rows
        return rows

    def without(self, rows: NDArray[np.int32], withheld: Withheld) -> NDArray[np.int32]:
        """Rows, in their order, but for those of withheld movies."""
        left_out = self.rows(withheld)
        return rows[~np.isin(rows, left_out)] if len(left_out) else rows
