"""Read ratings in GroupLens's file layouts from a directory or a zip."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from training.data.assembly import assemble_movies, assemble_ratings
from training.data.delimited_text import Format
from training.data.demographics import age_group, occupation
from training.data.folder import Folder, open_folder
from training.data.layouts import LAYOUTS, RATING_FIELDS, Layout
from training.data.table import MovieTable, RatingsTable
from training.data.text_columns import Rows
from training.errors import DataError


def read_grouplens(path: Path) -> RatingsTable:
    """Read ratings in any of GroupLens's layouts, detected from the files present.

    `u.data`, `u.item`, `u.user` and `ratings.dat`, `movies.dat`, `users.dat` (the users' file may be absent);
    or `ratings.csv`, `movies.csv` with any ids, any rating scale and further columns. Rows may be any subset
    of a published data set, in any order. Timestamps are Unix seconds, negative before 1970.

    Args:
        path: A directory or a zip; the files may lie in a directory inside it.

    Returns:
        The table, its rows in file order.

    Raises:
        DataError: A file is wrong; the message has file, line and reason.
    """
    with open_folder(path) as folder:
        layout, directory = _recognise(folder)
        movies = _read_movies(folder, directory, layout)
        ratings = _open(folder, directory, layout.ratings, RATING_FIELDS)
        user_codes, user_ids = ratings.ids("userId")
        files = [layout.ratings[0], layout.movies[0]]
        user_features: dict[str, list[str]] = {}
        if layout.users and str(directory / layout.users[0]) in folder.names():
            files.append(layout.users[0])
            user_features = _read_users(folder, directory, layout.users, user_ids)
        return assemble_ratings(
            user_ids=user_ids,
            user_codes=user_codes,
            movies=movies,
            movie_rows=_movie_rows(ratings, movies, layout.movies[0]),
            stars=ratings.numbers("rating"),
            timestamps=ratings.integers("timestamp"),
            user_features=user_features,
            name=path.resolve().name,
            source=f"{', '.join(files)} in {path.resolve().name}",
        )


def _recognise(folder: Folder) -> tuple[Layout, PurePosixPath]:
    """Detect the layout and its directory inside the folder, the outermost if there are several."""
    places = [PurePosixPath(name) for name in folder.names()]
    for depth in (1, 2):
        found = [
            (layout, place)
            for layout in LAYOUTS
            for place in places
            if len(place.parts) == depth and place.name == layout.ratings[0]
        ]
        if len(found) > 1:
            several = ", ".join(str(place) for _, place in found)
            raise DataError(
                f"{folder.path}: expected one set of ratings, got {several}; give the path of one"
            )
        if found:
            layout, place = found[0]
            movies = place.with_name(layout.movies[0])
            if movies not in places:
                raise DataError(f"{folder.label(str(movies))}: no such file; {place.name} needs it beside it")
            return layout, place.parent
    expected = ", or ".join(str(layout) for layout in LAYOUTS)
    raise DataError(f"{folder.path}: expected {expected}; got none of these")


def _open(
    folder: Folder, directory: PurePosixPath, file: tuple[str, Format], columns: tuple[str, ...]
) -> Rows:
    name = str(directory / file[0])
    return Rows(folder.label(name), folder.read(name), file[1], columns)


def _read_movies(folder: Folder, directory: PurePosixPath, layout: Layout) -> MovieTable:
    movies = _open(folder, directory, layout.movies, ("movieId", "title", *layout.genre_columns))
    movie_ids = _distinct_ids(movies, "movieId")
    return assemble_movies(movie_ids, movies.texts("title"), layout.genres(movies))


def _movie_rows(ratings: Rows, movies: MovieTable, movie_file: str) -> NDArray[np.int32]:
    codes, rated_ids = ratings.ids("movieId")
    row_of_id = {movie_id: row for row, movie_id in enumerate(movies.movie_ids)}
    row_of_code = np.array([row_of_id.get(movie_id, -1) for movie_id in rated_ids], np.int32)
    movie_rows = row_of_code[codes]
    unknown = np.flatnonzero(movie_rows < 0)
    if len(unknown):
        movie_id = rated_ids[codes[unknown[0]]]
        ratings.fail(
            unknown[0], f"expected a movie of {movie_file}, got movieId {movie_id!r}; add the movie to it"
        )
    return movie_rows


def _read_users(
    folder: Folder, directory: PurePosixPath, file: tuple[str, Format], user_ids: list[str]
) -> dict[str, list[str]]:
    users = _open(folder, directory, file, ("userId", "gender", "age", "occupation"))
    row_of_id = {user_id: row for row, user_id in enumerate(_distinct_ids(users, "userId"))}
    ages = users.texts("age")
    for row, age in enumerate(ages):
        if age and not (age.isascii() and age.isdecimal()):
            users.fail(row, f"expected a whole number as age, got {age!r}; correct it, or leave it empty")
    values = {
        "gender": users.texts("gender"),
        "age": [age_group(int(age)) if age else "" for age in ages],
        "occupation": [occupation(text) for text in users.texts("occupation")],
    }
    rows = [row_of_id.get(user_id) for user_id in user_ids]
    return {
        feature: ["" if row is None else column[row] for row in rows] for feature, column in values.items()
    }


def _distinct_ids(rows: Rows, column: str) -> list[str]:
    codes, ids = rows.ids(column)
    if len(ids) < len(rows):
        # Codes ascend in order of first occurrence, so the first that does not ascend is a repetition.
        repeated = int(np.flatnonzero(np.maximum.accumulate(codes)[:-1] >= codes[1:])[0]) + 1
        rows.fail(
            repeated, f"expected each {column} once, got {ids[codes[repeated]]!r} again; keep one of them"
        )
    return ids
