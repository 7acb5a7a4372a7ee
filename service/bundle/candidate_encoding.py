"""How movies that the bundle does not know are passed to the signature `embed_candidate` (`saved_model`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.bundle.title_year import without_year

CANDIDATE_DTYPES: dict[str, str] = {
    "title_words": "string",
    "title_word_counts": "int32",
    "genres": "string",
    "genre_counts": "int32",
    "years": "int32",
}
"""Of `B` movies: the distinct words of all titles one after another, `[W]`, and how many are of each, `[B]`;
genres likewise; the years, `[B]`, 0 where not known."""

_WORD = re.compile(r"\w+")


class MovieContent(NamedTuple):
    """What is known of a movie beside its ratings.

    Attributes:
        title: With the year or without.
        genres: As the catalogue spells them.
        year: Of release; None where not known.
    """

    title: str
    genres: tuple[str, ...]
    year: int | None


def title_words(title: str) -> list[str]:
    """Return the distinct lower-case words of a title without its year, in order."""
    return list(dict.fromkeys(_WORD.findall(without_year(title).lower())))


def encode_candidates(movies: Sequence[MovieContent]) -> dict[str, NDArray[Any]]:
    """The arrays that `CANDIDATE_DTYPES` names; text as objects."""
    words = [title_words(movie.title) for movie in movies]
    genres = [list(dict.fromkeys(movie.genres)) for movie in movies]
    return {
        "title_words": np.array([word.encode() for each in words for word in each], object),
        "title_word_counts": np.array([len(each) for each in words], np.int32),
        "genres": np.array([genre.encode() for each in genres for genre in each], object),
        "genre_counts": np.array([len(each) for each in genres], np.int32),
        "years": np.array([movie.year or 0 for movie in movies], np.int32),
    }
