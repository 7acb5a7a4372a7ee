"""Prepare queries for the model: the user with the history, and which candidates may be returned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle.catalogue import Catalogue
from service.bundle.manifest import Manifest
from service.errors import InvalidField, NoRatings, RequestError
from service.live.live_users import LiveUser
from service.recommending.dislikes import without_dislikes
from service.recommending.filters import Allowed, Filters
from service.recommending.movie_search import MovieSearch
from service.recommending.queries import Query, RatingQuery, RecommendQuery
from service.recommending.query_users import QueryUser, QueryUsers
from service.recommending.stored_users import NO_ROWS, StoredUsers


@dataclass(slots=True)
class ListTask:
    """A list to be made.

    Attributes:
        query: What is wanted.
        user: Of the query.
        allowed: Which candidates may be in it.
        ignored: Movies of the query that the bundle does not know, each once.
        liked: The user without dislikes, where these count in the order.
    """

    query: RecommendQuery
    user: QueryUser
    allowed: Allowed
    ignored: Sequence[str] = ()
    liked: QueryUser | None = None

    @property
    def is_reordered(self) -> bool:
        """Whether the list is re-ranked after retrieval."""
        return self.query.is_reordered or self.liked is not None

    @property
    def is_by_stars(self) -> bool:
        """Whether its order needs predicted ratings."""
        return self.query.is_by_stars or self.liked is not None


@dataclass(slots=True)
class RatingTask:
    """A rating to be predicted.

    Attributes:
        query: What is wanted.
        user: Who would give it.
        row: Of the candidate.
    """

    query: RatingQuery
    user: QueryUser
    row: int


Task = ListTask | RatingTask


class Tasks:
    """Makes tasks of queries.

    Args:
        catalogue: The movies.
        movie_search: Finds them by title.
        stored: What is stored of users.
        manifest: The rating scale, and how much history the model reads.
    """

    def __init__(
        self, catalogue: Catalogue, movie_search: MovieSearch, stored: StoredUsers, manifest: Manifest
    ) -> None:
        self._catalogue = catalogue
        self._movie_search = movie_search
        self._users = QueryUsers(catalogue, stored, manifest)
        self._filters = Filters(catalogue)
        self._scale = manifest.rating_scale
        self._has_ratings = manifest.rating_scale is not None

    def make(
        self, query: Query, live: LiveUser | None = None, withheld: NDArray[np.int32] = NO_ROWS
    ) -> Task | RequestError:
        """The task, or why there is none.

        `live` is what the store of feedback holds of the query's user, `withheld` the rows of movies that
        are shown to no user.

        That is an `UnknownMovie` where the bundle does not know the one to be rated or, if `strict`, any that
        the query names; an `InvalidField` where a rating is outside the scale or nothing says which movie is
        meant; and `NoRatings` where the answer would need ratings that the bundle does not predict.
        """
        try:
            return (
                self._rating(query, live)
                if isinstance(query, RatingQuery)
                else self._list(query, live, withheld)
            )
        except RequestError as error:
            return error

    def _list(self, query: RecommendQuery, live: LiveUser | None, withheld: NDArray[np.int32]) -> ListTask:
        if not self._has_ratings and query.is_by_stars:
            raise _no_ratings(f"rank_by is {query.rank_by}", "leave it out", field="rank_by")
        user = self._find(query, live)
        excluded = user.seen.rows if query.exclude_seen else NO_ROWS
        if len(user.hidden):
            excluded = np.concatenate([excluded, user.hidden])
        if query.exclude:
            excluded = np.concatenate([excluded, self._catalogue.known_rows(query.exclude)])
        allowed = self._filters.allow(query.filter, excluded, withheld)
        liked = without_dislikes(user, self._scale) if query.rank_by is None else None
        return ListTask(query, user, allowed, self._ignored(query, user), liked)

    def _ignored(self, query: RecommendQuery, user: QueryUser) -> Sequence[str]:
        """Movies that are unknown, wherever the query names them.

        Raises:
            UnknownMovie: There are any, and the query is `strict`.
        """
        listed = None if query.filter is None else query.filter.movie_ids
        if not query.exclude and not listed:
            return user.ignored
        ignored = [*user.ignored]
        for field, movie_ids in (("exclude", query.exclude), ("filter.movie_ids", listed or ())):
            unknown = self._catalogue.unknown(movie_ids)
            if unknown and query.strict:
                self._catalogue.row_of(unknown[0], field=f"{field}.{movie_ids.index(unknown[0])}")
            ignored += unknown
        return tuple(dict.fromkeys(ignored))

    def _find(self, query: Query, live: LiveUser | None) -> QueryUser:
        return self._users.find(query.user_id, query.history, query.timestamp, strict=query.strict, live=live)

    def _rating(self, query: RatingQuery, live: LiveUser | None) -> RatingTask:
        if not self._has_ratings:
            field = "movie_id" if query.movie_title is None else "movie_title"
            raise _no_ratings("a rating was asked for", "ask for /recommend", field=field)
        row = self._named_row(query)
        return RatingTask(query, self._find(query, live), row)

    def _named_row(self, query: RatingQuery) -> int:
        if query.movie_id is not None:
            return self._catalogue.row_of(query.movie_id)
        if query.movie_title is not None:
            return self._movie_search.row_of_title(query.movie_title)
        raise InvalidField("expected movie_id or movie_title, got neither", field="movie_id")


def _no_ratings(got: str, instead: str, *, field: str) -> NoRatings:
    return NoRatings(
        f"{got}, but the live bundle was trained on watches without ratings and predicts none; {instead}",
        field=field,
    )
