"""Find movies of a catalogue by title, with suggestions where no title is the one that was sent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.errors import Suggestion, UnknownTitle
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
        # Backwards, so that the most popular movie of a title is the one that stays.
        self._rows_by_title: dict[str, int] = {
            catalogue.titles[row]: row for row in catalogue.popular_rows[::-1].tolist()
        }

    def search(self, query: str, genre: str | None = None) -> NDArray[np.int32]:
        """The movies whose titles fit what was typed.

        Args:
            query: Any text; where blank, every title fits.
            genre: A genre that the movies must have, its case aside; None for any.

        Returns:
            int32 `[n]`: rows, best first (`title_search.Fit`), equals and a blank query's by popularity.
        """
        rows = self._titles.search(query)
        return rows if genre is None else rows[np.isin(rows, self._catalogue.rows_of_genre(genre))]

    def row_of_title(self, title: str) -> int:
        """The candidate row of the most-rated movie with exactly this title, of equals the lowest row.

        Raises:
            UnknownTitle: No movie has this title.
        """
        row = self._rows_by_title.get(title)
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
