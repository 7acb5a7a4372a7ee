"""Find movies by title where some were put since the bundle was trained, without indexing all titles anew."""

from __future__ import annotations

from collections.abc import Sequence

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
        changed = [*titles, *(bundled.titles[row] for row in over.edited.tolist())]
        popular = self._popular_rows.tolist()
        self._title_rows = of_bundle._title_rows.over(over.catalogue.titles, popular, changed)

    def search(self, query: str, genres_any: Sequence[str] = ()) -> NDArray[np.int32]:
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
        return self._catalogue.of_genres(rows, genres_any) if genres_any else rows
