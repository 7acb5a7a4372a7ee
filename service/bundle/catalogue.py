"""The movies of a bundle, by candidate row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle import CATALOGUE_FILE
from service.bundle.files import load_json
from service.errors import BundleInconsistent, Suggestion, UnknownMovie, UnknownTitle
from service.recommending.title_search import TitleSearch

MOST_SUGGESTIONS = 5

_NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True)
class Catalogue:
    """Columns by candidate row, all of the same length.

    Attributes:
        movie_ids: External ids, each once.
        titles: Titles, which several movies may share.
        genres: Names of genres, possibly none.
        years: Year of release, None where not known.
        num_ratings: How many users rated the movie.
    """

    movie_ids: list[str]
    titles: list[str]
    genres: list[list[str]]
    years: list[int | None]
    num_ratings: list[int]

    @classmethod
    def load(cls, bundle_directory: Path) -> Catalogue:
        """Reads `catalogue.json`.

        Raises:
            BundleUnreadable: The file is missing or may not be read.
            BundleInconsistent: Not these columns, not of one length, empty, or an id twice.
        """
        path = bundle_directory / CATALOGUE_FILE
        columns = load_json(path)
        names = [field.name for field in fields(cls)]
        if not isinstance(columns, dict) or sorted(columns) != sorted(names):
            raise BundleInconsistent(f"{path}: expected the columns {names}; export again")
        try:
            lengths = {name: len(column) for name, column in columns.items()}
            catalogue = cls(**columns)
            # Built now, so that a bad column shows before the bundle goes live and no request waits for it.
            distinct_ids, distinct_titles = len(catalogue._rows_by_id), len(catalogue._rows_by_title)
            _ = catalogue._title_search, catalogue.genre_counts
        except (TypeError, ValueError, IndexError, AttributeError) as error:
            raise BundleInconsistent(f"{path}: a column is malformed ({error}); export again") from error
        if len(set(lengths.values())) != 1 or distinct_titles == 0:
            raise BundleInconsistent(
                f"{path}: expected columns of one length above 0, got {lengths}; export again"
            )
        if distinct_ids != len(catalogue):
            raise BundleInconsistent(
                f"{path}: expected {len(catalogue)} different movie ids, got {distinct_ids}; export again"
            )
        return catalogue

    def __len__(self) -> int:
        return len(self.movie_ids)

    @cached_property
    def _rows_by_id(self) -> dict[str, int]:
        return {movie_id: row for row, movie_id in enumerate(self.movie_ids)}

    @cached_property
    def popular_rows(self) -> NDArray[np.int32]:
        """int32 `[num_candidates]`: rows by falling number of ratings, equals by rising row."""
        falling = -np.asarray(self.num_ratings, np.int64)
        return np.argsort(falling, kind="stable").astype(np.int32)

    @cached_property
    def _rows_by_title(self) -> dict[str, int]:
        # Backwards, so that the most popular movie of a title is the one that stays.
        return {self.titles[row]: row for row in self.popular_rows[::-1].tolist()}

    @cached_property
    def _title_search(self) -> TitleSearch:
        return TitleSearch(self.titles, self.popular_rows)

    @cached_property
    def _rows_by_genre(self) -> dict[str, NDArray[np.int32]]:
        """By a genre's name without case: int32, rows in rising order."""
        rows: dict[str, list[int]] = {}
        for row, genres in enumerate(self.genres):
            for genre in dict.fromkeys(each.casefold() for each in genres):
                rows.setdefault(genre, []).append(row)
        return {genre: np.array(of_genre, np.int32) for genre, of_genre in rows.items()}

    @cached_property
    def genre_counts(self) -> dict[str, int]:
        """How many movies have each genre, the commonest first, spelt as the first of them spells it."""
        spellings = {
            genre.casefold(): genre for genres in reversed(self.genres) for genre in reversed(genres)
        }
        counts = {spellings[genre]: len(rows) for genre, rows in self._rows_by_genre.items()}
        return dict(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])))

    def search(self, query: str, genre: str | None = None) -> NDArray[np.int32]:
        """The movies whose titles fit what was typed.

        Args:
            query: Any text; where blank, every title fits.
            genre: A genre that the movies must have, its case aside; None for any.

        Returns:
            int32 `[n]`: rows, best first (`title_search.Match`), equals and a blank query's by popularity.
        """
        rows = self._title_search.search(query)
        return rows if genre is None else rows[np.isin(rows, self.rows_of_genre(genre))]

    def rows_of_genre(self, genre: str) -> NDArray[np.int32]:
        """int32, rising: the rows of the movies that have a genre, its case aside; empty where none has."""
        return self._rows_by_genre.get(genre.casefold(), _NO_ROWS)

    def row_of(self, movie_id: str, *, field: str = "movie_id") -> int:
        """The candidate row of a movie.

        Args:
            movie_id: External id.
            field: Where the request named it, for the error.

        Raises:
            UnknownMovie: No movie has this id.
        """
        row = self._rows_by_id.get(movie_id)
        if row is None:
            raise UnknownMovie(
                f"no movie has the id {movie_id!r}; expected an id of this bundle's catalogue", field=field
            )
        return row

    def known_rows(self, movie_ids: Iterable[str]) -> NDArray[np.int32]:
        """int32, the candidate rows of those ids that are known, in their order."""
        rows = (self._rows_by_id.get(movie_id) for movie_id in movie_ids)
        return np.array([row for row in rows if row is not None], np.int32)

    def row_of_title(self, title: str) -> int:
        """The candidate row of the most-rated movie with exactly this title, of equals the lowest row.

        Raises:
            UnknownTitle: No movie has this title.
        """
        row = self._rows_by_title.get(title)
        if row is None:
            raise UnknownTitle(
                f"no movie has the title {title!r}; expected it as the catalogue spells it, "
                f"such as {self.titles[int(self.popular_rows[0])]!r}",
                field="movie_title",
                search=lambda: self._suggestions(title),
            )
        return row

    def _suggestions(self, title: str) -> list[Suggestion]:
        rows = self.search(title)[:MOST_SUGGESTIONS] if title.strip() else self.popular_rows[:0]
        return [Suggestion(self.movie_ids[row], self.titles[row]) for row in rows.tolist()]
