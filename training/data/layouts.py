"""GroupLens's three file layouts of a data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from training.data.delimited_text import Format
from training.data.text_columns import Rows

# Genre flags at the end of a line of u.item, in order.
FLAGGED_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
RATING_FIELDS = ("userId", "movieId", "rating", "timestamp")
_MOVIE = ("movieId", "title", "genres")
_ITEM = ("movieId", "title", "released", "released on video", "address", *FLAGGED_GENRES)


@dataclass(frozen=True)
class Layout:
    """File names and formats of one layout, detected by the name of its ratings file."""

    ratings: tuple[str, Format]
    movies: tuple[str, Format]
    users: tuple[str, Format] | None
    genre_columns: tuple[str, ...]
    genres: Callable[[Rows], list[list[str]]]

    def __str__(self) -> str:
        users = f" (and {self.users[0]} if you have it)" if self.users else ""
        return f"{self.ratings[0]} with {self.movies[0]}{users}"


def _listed_genres(movies: Rows) -> list[list[str]]:
    return [genres.split("|") for genres in movies.texts("genres")]


def _flagged_genres(movies: Rows) -> list[list[str]]:
    flags = zip(*(movies.texts(genre) for genre in FLAGGED_GENRES), strict=True)
    return [[genre for genre, flag in zip(FLAGGED_GENRES, row, strict=True) if flag == "1"] for row in flags]


LAYOUTS = (
    Layout(
        ratings=("u.data", Format("\t", RATING_FIELDS)),
        movies=("u.item", Format("|", _ITEM)),
        users=("u.user", Format("|", ("userId", "age", "gender", "occupation", "zip"))),
        genre_columns=FLAGGED_GENRES,
        genres=_flagged_genres,
    ),
    Layout(
        ratings=("ratings.dat", Format("::", RATING_FIELDS)),
        movies=("movies.dat", Format("::", _MOVIE)),
        users=("users.dat", Format("::", ("userId", "gender", "age", "occupation", "zip"))),
        genre_columns=("genres",),
        genres=_listed_genres,
    ),
    Layout(
        ratings=("ratings.csv", Format(",", quoted=True)),
        movies=("movies.csv", Format(",", quoted=True)),
        users=None,
        genre_columns=("genres",),
        genres=_listed_genres,
    ),
)
