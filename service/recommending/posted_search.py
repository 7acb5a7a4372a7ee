"""Find movies by title where some were put since the bundle was trained, without indexing all titles anew."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.recommending.movie_search import MovieSearch
from service.recommending.posted_catalogue import PostedCatalogue
from service.recommending.title_search import TitleSearch


class PostedMovieSearch(MovieSearch):
    """Searches the titles of a bundle and those that were put over them.

    Args:
        of_bundle: Searches the bundle's titles.
        bundled: The bundle's catalogue.
        over: What it is now: at least one movie is new or described otherwise.
    """

    def __init__(self, of_bundle: MovieSearch, bundled: Catalogue, over: PostedCatalogue) -> None:
        self._catalogue = over.catalogue
        self._bundled = of_bundle._titles
        new = np.arange(len(bundled), len(over.catalogue), dtype=np.int32)
        self._rows = np.concatenate([over.edited, new])
        self._popular_rows = over.catalogue.popular_rows
        self._ranks = np.empty(len(over.catalogue), np.int32)
        self._ranks[self._popular_rows] = np.arange(len(over.catalogue), dtype=np.int32)
        order = np.argsort(self._ranks[self._rows], kind="stable").astype(np.int32)
        titles = [over.catalogue.titles[row] for row in self._rows.tolist()]
        self._posted = TitleSearch(titles, order)
        self._is_edited = np.zeros(len(bundled), np.bool_)
        self._is_edited[over.edited] = True
        self._rows_by_title = self._retitled(of_bundle._rows_by_title, bundled)

    def search(self, query: str, genre: str | None = None) -> NDArray[np.int32]:
        """As `MovieSearch.search`; of each kind of match the most rated first, whatever was put."""
        found = self._bundled.ranked(query)
        posted = self._posted.ranked(query)
        if found is None or posted is None:
            rows = self._popular_rows
        else:
            kept = ~self._is_edited[found.rows]
            rows = np.concatenate([found.rows[kept], self._rows[posted.rows]])
            matches = np.concatenate([found.matches[kept], posted.matches])
            similarities = np.concatenate([found.similarities[kept], posted.similarities])
            rows = rows[np.lexsort((self._ranks[rows], -similarities, matches))]
        return rows if genre is None else rows[np.isin(rows, self._catalogue.rows_of_genre(genre))]

    def _retitled(self, former: Mapping[str, int], bundled: Catalogue) -> dict[str, int]:
        """By title the most rated movie, where any of that title was put or had it before."""
        rows_by_title = {**former}
        changed = {self._catalogue.titles[row] for row in self._rows.tolist()}
        for row in np.flatnonzero(self._is_edited).tolist():
            changed.add(bundled.titles[row])
            rows_by_title.pop(bundled.titles[row], None)
        for row in self._popular_rows[::-1].tolist():
            if (title := self._catalogue.titles[row]) in changed:
                rows_by_title[title] = row
        return rows_by_title
