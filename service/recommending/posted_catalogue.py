"""A bundle's catalogue, and over it the movies that apps put since it was trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_encoding import MovieContent
from service.bundle.catalogue import Catalogue
from service.live.posted_content import content_over
from service.live.posted_movies import PostedMovie


@dataclass(frozen=True)
class PostedCatalogue:
    """A catalogue with what was posted over it.

    Attributes:
        catalogue: The bundle's movies in its rows, and the new ones after them by id.
        content: Of the new ones, in the order of their rows.
        edited: int32, rows of movies of the bundle that are described otherwise.
    """

    catalogue: Catalogue
    content: Sequence[MovieContent]
    edited: NDArray[np.int32]


def posted_over(
    catalogue: Catalogue, posted: Iterable[PostedMovie], *, with_new: bool = True
) -> PostedCatalogue:
    """Put what was posted over a catalogue.

    Args:
        catalogue: Of the bundle, whose movies keep their rows.
        posted: Movies that are described, each once.
        with_new: Whether movies that the bundle does not know are added; without, only its own are described
            anew.
    """
    titles, years, genres = [*catalogue.titles], [*catalogue.years], [*catalogue.genres]
    spellings = {genre.casefold(): genre for genre in catalogue.genre_counts}
    edited: list[int] = []
    new: list[tuple[str, MovieContent]] = []
    for movie in posted:
        row = catalogue.find(movie.movie_id)
        known = None if row is None else MovieContent(titles[row], tuple(genres[row]), years[row])
        content = content_over(known, movie, spellings)
        if row is None and content is not None and with_new:
            new.append((movie.movie_id, content))
        elif row is not None and content is not None and content != known:
            titles[row], genres[row], years[row] = content.title, [*content.genres], content.year
            edited.append(row)
    new.sort(key=lambda each: each[0])
    contents = [content for _, content in new]
    over = replace(
        catalogue,
        movie_ids=[*catalogue.movie_ids, *(movie_id for movie_id, _ in new)],
        titles=[*titles, *(each.title for each in contents)],
        genres=[*genres, *([*each.genres] for each in contents)],
        years=[*years, *(each.year for each in contents)],
        num_ratings=[*catalogue.num_ratings, *[0] * len(new)],
    )
    edited.sort()
    over.take_genres(catalogue, [*edited, *range(len(catalogue), len(over))])
    return PostedCatalogue(over, contents, np.array(edited, np.int32))
