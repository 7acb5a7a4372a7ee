"""Find movies of a catalogue by title, with suggestions where no title is the one that was sent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.errors import Suggestion, UnknownTitle
from service.recommending.title_rows import TitleRows
from service.recommending.title_search import TitleSearch

MOST_SUGGESTIONS = 5


class MovieSearch:
    """Searches the titles of one catalogue; the search is prepared here, which takes seconds for a million.

    Args:
        catalogue: The movies.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._titles = TitleSearch(catalogue.titles, catalogue.popular_rows)
        self._title_rows = TitleRows(catalogue.titles, catalogue.popular_rows.tolist())

    def search(self, query: str, genres_any: Sequence[str] = ()) -> NDArray[np.int32]:
        """The movies whose titles fit what was typed.

        Args:
            query: Any text; where blank, every title fits.
            genres_any: Genres of which the movies must have one, their case aside; none for any movie.

        Returns:
            int32 `[n]`: rows, best first (`title_search.Fit`), equals and a blank query's by popularity.
        """
        rows = self._titles.search(query)
        return self._catalogue.of_genres(rows, genres_any) if genres_any else rows

    def row_of_title(self, title: str) -> int:
        """The candidate row of the most-rated movie with this title, of equals the lowest row.

        One that is spelt exactly so is meant before one that differs in case.

        Raises:
            UnknownTitle: No movie has this title.
        """
        row = self._title_rows.find(title)
        if row is None:
            most_rated = self._catalogue.titles[int(self._catalogue.popular_rows[0])]
            raise UnknownTitle(
                f"no movie has the title {title!r}; expected it as the catalogue spells it, such as "
                f"{most_rated!r}",
                field="movie_title",
                search=lambda: self._suggestions(title),
            )
        return row

    def _suggestions(self, title: str) -> list[Suggestion]:
        rows = self.search(title)[:MOST_SUGGESTIONS].tolist() if title.strip() else []
        movies = self._catalogue
        return [
            Suggestion(movies.movie_ids[row], movies.titles[row], movies.display_title(row)) for row in rows
        ]
