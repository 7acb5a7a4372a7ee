"""What is in force of a movie of which apps put a title, genres or a year: in the service and in training."""

from __future__ import annotations

from collections.abc import Mapping

from service.bundle.candidate_encoding import MovieContent
from service.bundle.title_year import year_of
from service.live.posted_movies import PostedMovie


def content_over(
    known: MovieContent | None, movie: PostedMovie, spellings: Mapping[str, str]
) -> MovieContent | None:
    """What was put of a movie, over what is known of it.

    Args:
        known: What the bundle, or training's data, has of it; None where it lacks the movie.
        movie: What was put.
        spellings: Of genres, by their casefold.

    Returns:
        What is in force; None of a movie that is neither known nor has a title.
    """
    if known is None and movie.title is None:
        return None
    title = movie.title or ""
    before = known or MovieContent(title, (), year_of(title))
    genres = before.genres if movie.genres is None else _spelt(movie.genres, spellings)
    year = before.year if movie.year is None else movie.year or None
    return MovieContent(before.title if movie.title is None else title, genres, year)


def _spelt(genres: tuple[str, ...], spellings: Mapping[str, str]) -> tuple[str, ...]:
    """Genres as others spell them, each once."""
    return tuple(dict.fromkeys(spellings.get(genre.casefold(), genre) for genre in genres))
