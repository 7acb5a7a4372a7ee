"""Filters on movies as boolean masks over the candidates, with the mask of each genre precomputed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.recommending.queries import MovieFilter

Mask = NDArray[np.bool_]

NO_ROWS = np.empty(0, np.int32)
_FEW = 64
"""Withheld candidates up to which the index is asked for as many more; of more a filter is made."""
_NO_YEAR = np.iinfo(np.int64).min


class Allowed:
    """The candidates that one answer may contain.

    Args:
        num_candidates: Of the catalogue.
        passing: bool `[num_candidates]`, true for a candidate that passes the filter; None where all do.
        excluded: int32, rows removed as seen or one by one; may repeat.

    Attributes:
        num_passing: Number of candidates that pass the filter.
        num_excluded: Upper bound of the candidates removed from those.
    """

    __slots__ = ("_mask", "excluded", "num_candidates", "num_excluded", "num_passing", "passing")

    def __init__(
        self, num_candidates: int, passing: Mask | None = None, excluded: NDArray[np.int32] = NO_ROWS
    ) -> None:
        self.num_candidates = num_candidates
        self.passing = passing
        self.excluded = excluded
        self.num_passing = num_candidates if passing is None else int(np.count_nonzero(passing))
        self.num_excluded = len(excluded)
        self._mask: Mask | None = None

    @property
    def mask(self) -> Mask:
        """Which candidates may be returned, bool `[num_candidates]`."""
        if self._mask is None:
            mask = np.ones(self.num_candidates, np.bool_) if self.passing is None else self.passing.copy()
            mask[self.excluded] = False
            self._mask = mask
        return self._mask

    @property
    def num_left(self) -> int:
        """How many candidates may be returned."""
        return int(np.count_nonzero(self.mask))

    def has(self, count: int) -> bool:
        """Whether at least so many candidates may be returned."""
        return self.num_passing - self.num_excluded >= count or self.num_left >= count

    @property
    def missing(self) -> NDArray[np.int32]:
        """int32, rows of those that may not be returned; may repeat."""
        if self.passing is None:
            return self.excluded
        return np.concatenate([np.flatnonzero(~self.passing).astype(np.int32), self.excluded])


class Filters:
    """Filters over the candidates of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._years = np.array([_NO_YEAR if year is None else year for year in catalogue.years], np.int64)
        self._nothing = np.zeros(len(catalogue), np.bool_)
        self._by_genre: dict[str, Mask] = {}
        for genre in catalogue.genre_counts:
            mask = self._by_genre[genre.casefold()] = self._nothing.copy()
            mask[catalogue.rows_of_genre(genre)] = True

    def allow(
        self,
        conditions: MovieFilter | None,
        excluded_rows: NDArray[np.int32],
        withheld_rows: NDArray[np.int32] = NO_ROWS,
    ) -> Allowed:
        """Return the candidates that meet the conditions.

        Args:
            conditions: None for none.
            excluded_rows: int32, may repeat: left out as seen, or one by one.
            withheld_rows: int32: left out for everybody.
        """
        if 0 < len(withheld_rows) <= _FEW:
            excluded_rows, withheld_rows = np.concatenate([excluded_rows, withheld_rows]), NO_ROWS
        num_candidates = len(self._years)
        if conditions is None and not len(withheld_rows):
            return Allowed(num_candidates, None, excluded_rows)
        passing = np.ones(num_candidates, np.bool_) if conditions is None else self._passing(conditions)
        passing[withheld_rows] = False
        return Allowed(num_candidates, passing, excluded_rows)

    def _passing(self, conditions: MovieFilter) -> Mask:
        mask = np.ones(len(self._years), np.bool_)
        if conditions.genres_any:
            mask &= np.logical_or.reduce(self._of_genres(conditions.genres_any))
        for genre in self._of_genres(conditions.genres_all):
            mask &= genre
        for genre in self._of_genres(conditions.genres_none):
            mask &= ~genre
        if conditions.year_min is not None or conditions.year_max is not None:
            mask &= self._years != _NO_YEAR
        if conditions.year_min is not None:
            mask &= self._years >= conditions.year_min
        if conditions.year_max is not None:
            mask &= self._years <= conditions.year_max
        if conditions.movie_ids is not None:
            listed = np.zeros_like(mask)
            listed[self._catalogue.known_rows(conditions.movie_ids)] = True
            mask &= listed
        return mask

    def _of_genres(self, genres: Sequence[str]) -> list[Mask]:
        names = self._catalogue.genre_names(genres)
        return [self._by_genre.get(genre.casefold(), self._nothing) for genre in names]
