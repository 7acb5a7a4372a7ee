"""Movies as apps put them: what is given of each, what of that changes the store, and what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

NO_YEAR = 0
"""In place of a year that is said not to be known."""


class MoviePut(NamedTuple):
    """What is given of a movie; None leaves what there is.

    Attributes:
        movie_id: External id, known or not.
        title: Its title.
        genres: All of its genres.
        year: Year of release, or `NO_YEAR`.
        available: Whether it may be shown.
    """

    movie_id: str
    title: str | None = None
    genres: tuple[str, ...] | None = None
    year: int | None = None
    available: bool | None = None


class PostedMovie(NamedTuple):
    """What the store holds of a movie; None where nothing was ever given.

    Attributes:
        movie_id: External id, known to the bundle or not.
        title: Its title; a movie that the bundle does not know is none without.
        genres: All of its genres.
        year: Year of release, or `NO_YEAR`.
        available: Whether it may be shown.
    """

    movie_id: str
    title: str | None = None
    genres: tuple[str, ...] | None = None
    year: int | None = None
    available: bool = True

    def changed_by(self, put: MoviePut) -> PostedMovie:
        """What it is after a put of the same id."""
        given = {name: value for name, value in put._asdict().items() if value is not None}
        return self._replace(**given)

    @property
    def is_described(self) -> bool:
        """Whether there is anything but `available`."""
        return self.title is not None or self.genres is not None or self.year is not None


@dataclass(frozen=True, eq=False)
class PostedMovies:
    """All movies of which the store holds a title, genres or a year; another object where anything changed.

    Attributes:
        by_id: By external id, known to the bundle or not.
    """

    by_id: Mapping[str, PostedMovie] = field(default_factory=dict)


NO_MOVIES_POSTED = PostedMovies()


class PutOutcome(NamedTuple):
    """What became of movies that were put.

    Attributes:
        stored: Movies that changed the store.
        unchanged: Movies that were so already.
        position: Of the store after them.
    """

    stored: int
    unchanged: int
    position: int
