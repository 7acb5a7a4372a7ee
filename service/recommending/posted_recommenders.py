"""A bundle's recommender with the movies that apps put since it was trained, new ones and new titles.

A new movie is embedded by its content (`saved_model`, `embed_candidate`) and scored exactly beside the index.
The query tower has no row for it: what was rated of new movies is kept in histories, shown there and excluded
as seen, and read by the model once it was trained with them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from service.bundle.candidate_encoding import MovieContent, encode_candidates
from service.live.posted_movies import NO_MOVIES_POSTED, PostedMovies
from service.recommending.candidate_search import CandidateSearch
from service.recommending.posted_catalogue import posted_over
from service.recommending.posted_search import PostedMovieSearch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.bundle.candidate_index import CandidateIndex
    from service.bundle.catalogue import Catalogue
    from service.bundle.rating_head import RatingHead
    from service.recommending.movie_search import MovieSearch
    from service.recommending.recommender import Recommender

Columns = dict[str, "NDArray[np.float32]"]
"""What `embed_candidate` returns."""

_MOST_CACHED = 20_000


class PostedRecommenders:
    """Makes recommenders of one bundle and of what was posted; the last one is kept.

    Args:
        of_bundle: The recommender without anything posted.
    """

    def __init__(self, of_bundle: Recommender) -> None:
        self._of_bundle = of_bundle
        self._made = NO_MOVIES_POSTED, of_bundle
        self._embedded: dict[MovieContent, Columns] = {}
        self._making = threading.Lock()

    def with_movies(self, posted: PostedMovies) -> Recommender:
        """The recommender that knows these."""
        former, recommender = self._made
        if former is posted:
            return recommender
        with self._making:
            former, recommender = self._made
            if former is not posted:
                recommender = self._make(posted)
                self._made = posted, recommender
        return recommender

    def _make(self, posted: PostedMovies) -> Recommender:
        bundle = self._of_bundle
        embed = bundle.tower.embed_candidate
        over = posted_over(bundle.catalogue, posted.by_id.values(), with_new=embed is not None)
        if not over.content and not len(over.edited):
            return bundle
        search = PostedMovieSearch(bundle.movie_search, bundle.catalogue, over)
        if not over.content:
            return _with_catalogue(bundle, over.catalogue, search, bundle.index, bundle.rating_head)
        columns = self._embed(over.content)
        head = bundle.rating_head
        if head is not None:
            names = "rating_vectors", "rating_biases", "rating_confidences"
            head = head.with_beside(*(columns[name] for name in names))
        index = bundle.index.with_beside(columns["candidate_embeddings"])
        return _with_catalogue(bundle, over.catalogue, search, index, head)

    def _embed(self, contents: Sequence[MovieContent]) -> Columns:
        """The columns of movies, computed where they were not before."""
        embed = self._of_bundle.tower.embed_candidate
        assert embed is not None  # noqa: S101 asked before
        if len(self._embedded) > _MOST_CACHED:
            self._embedded.clear()
        if missing := [each for each in dict.fromkeys(contents) if each not in self._embedded]:
            computed = embed(encode_candidates(missing))
            for place, each in enumerate(missing):
                self._embedded[each] = {name: column[place] for name, column in computed.items()}
        found = [self._embedded[each] for each in contents]
        return {name: np.stack([each[name] for each in found]) for name in found[0]}


def _with_catalogue(
    bundle: Recommender,
    catalogue: Catalogue,
    search: MovieSearch,
    index: CandidateIndex,
    rating_head: RatingHead | None,
) -> Recommender:
    """The same with other movies after those of the bundle, or other titles; what is costly is shared."""
    other = replace(bundle, catalogue=catalogue, index=index, rating_head=rating_head, of_bundle=bundle)
    shared = {
        "movie_search": search,
        "states": bundle.states,
        "forgotten_users": bundle.forgotten_users,
        "search": CandidateSearch(index, bundle.index_kind, widest=bundle.search.widest),
    }
    other.__dict__.update(shared)
    return other
