"""`catalogue.json`: the movies by candidate row, as columns of one length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.display_title import display_title
from service.bundle.json_files import read_json, write_json
from service.errors import BundleInconsistent, UnknownMovie

CATALOGUE_FILE = "catalogue.json"
FILES = (CATALOGUE_FILE,)

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

    def write(self, directory: Path) -> None:
        """Write the file.

        Raises:
            OSError: It cannot be written.
        """
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        write_json(directory / CATALOGUE_FILE, columns)

    @classmethod
    def open(cls, directory: Path, num_candidates: int | None = None) -> Catalogue:
        """Read the file of a bundle.

        Args:
            directory: The bundle.
            num_candidates: How many movies it must have; None: any.

        Raises:
            BundleUnreadable: The file is missing or may not be read.
            BundleInconsistent: Not these columns, not of one length, empty, malformed, an id twice, or not
                as many movies.
        """
        path = directory / CATALOGUE_FILE
        columns = read_json(path)
        if not isinstance(columns, dict) or columns.keys() != _SHAPES.keys():
            raise BundleInconsistent(f"{path}: expected the columns {list(_SHAPES)}; export again")
        malformed = [
            name
            for name, is_well_formed in _SHAPES.items()
            if not isinstance(columns[name], list) or not is_well_formed(columns[name])
        ]
        if malformed:
            raise BundleInconsistent(f"{path}: the columns {malformed} are malformed; export again")
        catalogue = cls(**columns)
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1 or len(catalogue) == 0:
            raise BundleInconsistent(
                f"{path}: expected columns of one length above 0, got {lengths}; export again"
            )
        if (distinct := len(catalogue._rows_by_id)) != len(catalogue):
            raise BundleInconsistent(
                f"{path}: expected {len(catalogue)} different movie ids, got {distinct}; export again"
            )
        if num_candidates not in {None, len(catalogue)}:
            raise BundleInconsistent(
                f"{path}: expected {num_candidates} movies, one for each candidate, got {len(catalogue)}; "
                "export again"
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
        return _counted(self._rows_by_genre, spellings)

    @cached_property
    def year_range(self) -> tuple[int, int] | None:
        """The years of the oldest and of the newest movie; None where no movie has a year."""
        known = [year for year in self.years if year is not None]
        return (min(known), max(known)) if known else None

    def take_genres(self, former: Catalogue, changed: Iterable[int]) -> None:
        """Have the rows and counts of genres from another catalogue, and not from every movie's genres.

        Args:
            former: The same rows but for those that are changed or come after its own.
            changed: All those rows, rising.
        """
        left: dict[str, list[int]] = {}
        joined: dict[str, list[int]] = {}
        spellings = {genre.casefold(): genre for genre in former.genre_counts}
        for row in changed:
            for genre in former.genres[row] if row < len(former) else ():
                left.setdefault(genre.casefold(), []).append(row)
            for genre in dict.fromkeys(each.casefold() for each in self.genres[row]):
                joined.setdefault(genre, []).append(row)
            for genre in self.genres[row]:
                spellings.setdefault(genre.casefold(), genre)
        rows_by_genre = {**former._rows_by_genre}
        for genre in left.keys() | joined.keys():
            rows = rows_by_genre.pop(genre, _NO_ROWS)
            stayed = rows[~np.isin(rows, left.get(genre, []))]
            if len(rows := np.sort(np.concatenate([stayed, np.array(joined.get(genre, []), np.int32)]))):
                rows_by_genre[genre] = rows
        self.__dict__["_rows_by_genre"] = rows_by_genre
        self.__dict__["genre_counts"] = _counted(rows_by_genre, spellings)

    def rows_of_genre(self, genre: str) -> NDArray[np.int32]:
        """int32, rising: the rows of the movies that have a genre, its case aside; empty where none has."""
        return self._rows_by_genre.get(genre.casefold(), _NO_ROWS)

    def genre_names(self, sent: Iterable[str]) -> list[str]:
        """Genres as they were sent, but that what has commas and is no genre is a list of genres."""
        names: list[str] = []
        for text in sent:
            is_one = text.casefold() in self._rows_by_genre
            names += [text] if is_one else [each.strip() for each in text.split(",")]
        return names

    def of_genres(self, rows: NDArray[np.int32], genres: Iterable[str]) -> NDArray[np.int32]:
        """Those of some rows, in their order, that have one of the genres, whose case is ignored."""
        wanted = [self.rows_of_genre(name) for name in self.genre_names(genres)]
        return rows[np.isin(rows, np.concatenate(wanted))]

    def display_title(self, row: int) -> str:
        """The title of the movie in a row as people say it."""
        return display_title(self.titles[row], self.years[row])

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

    def find(self, movie_id: str) -> int | None:
        """The candidate row of a movie; None where no movie has this id."""
        return self._rows_by_id.get(movie_id)

    def unknown(self, movie_ids: Iterable[str]) -> list[str]:
        """Those of some ids that no movie has, in their order."""
        return [movie_id for movie_id in movie_ids if movie_id not in self._rows_by_id]

    def known_rows(self, movie_ids: Iterable[str]) -> NDArray[np.int32]:
        """int32, the candidate rows of those ids that are known, in their order."""
        rows = (self._rows_by_id.get(movie_id) for movie_id in movie_ids)
        return np.array([row for row in rows if row is not None], np.int32)


def _counted(rows_by_genre: Mapping[str, NDArray[np.int32]], spellings: Mapping[str, str]) -> dict[str, int]:
    counts = {spellings[genre]: len(rows) for genre, rows in rows_by_genre.items()}
    return dict(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])))


def _all_of(*types: type) -> Callable[[Iterable[object]], bool]:
    return lambda values: set(map(type, values)) <= {*types}


def _are_genres(column: list[Any]) -> bool:
    return _all_of(list)(column) and _all_of(str)(chain.from_iterable(column))


_SHAPES: dict[str, Callable[[list[Any]], bool]] = {
    "movie_ids": _all_of(str),
    "titles": _all_of(str),
    "genres": _are_genres,
    "years": _all_of(int, type(None)),
    "num_ratings": _all_of(int),
}
