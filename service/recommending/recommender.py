"""Composes model, index, catalogue and histories of one bundle: numpy in, numpy out, no HTTP.

It works on many requests at once: each is prepared by itself and may be refused alone, then all share one
reading of their histories and one prediction of stars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.bundle.manifest import Manifest
from service.errors import InvalidField, RequestError
from service.loaded.candidate_index import CandidateIndex
from service.loaded.catalogue import Catalogue
from service.loaded.histories import Histories
from service.loaded.query_tower import QueryTower
from service.loaded.rating_head import RatingHead
from service.recommending.batch_record import BatchRecord
from service.recommending.candidate_search import CandidateSearch, Found
from service.recommending.encoding import AnswerEncoder
from service.recommending.explanations import explain
from service.recommending.filters import Allowed, Filters
from service.recommending.people import People, Person
from service.recommending.queries import DEEPEST, PredictedRating, RatingQuery, Recommendation, RecommendQuery
from service.recommending.query_states import QueryStates
from service.recommending.ranking import RankedList
from service.recommending.similar_movies import SimilarMovies
from service.settings import IndexKind

T = TypeVar("T")

_NO_ROWS = np.empty(0, np.int32)
_NO_STATES = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class _Task:
    """One request on its way to an answer."""

    query: RecommendQuery
    person: Person
    allowed: Allowed


@dataclass(frozen=True)
class Recommender:
    """One loaded bundle; its methods may be called from several threads at once."""

    manifest: Manifest
    catalogue: Catalogue
    histories: Histories
    index: CandidateIndex
    tower: QueryTower
    rating_head: RatingHead
    index_kind: IndexKind = "annoy"
    remembered_users: int = 0

    @property
    def bundle_id(self) -> str:
        """The bundle's name, which every answer carries."""
        return self.manifest.bundle_id

    @cached_property
    def _people(self) -> People:
        return People(self.catalogue, self.histories, self.manifest)

    @cached_property
    def _filters(self) -> Filters:
        return Filters(self.catalogue)

    @cached_property
    def encoder(self) -> AnswerEncoder:
        """Encodes this bundle's answers."""
        return AnswerEncoder(self.catalogue, self.bundle_id)

    @cached_property
    def _search(self) -> CandidateSearch:
        return CandidateSearch(self.index, self.index_kind)

    @cached_property
    def _states(self) -> QueryStates:
        return QueryStates(self.tower, self.remembered_users)

    @cached_property
    def similar_movies(self) -> SimilarMovies:
        """Compares the bundle's movies with each other."""
        return SimilarMovies(self.index)

    def recommend(self, query: RecommendQuery, *, exactly: bool = False) -> Recommendation:
        """As `recommend_many`, for one request.

        Raises:
            RequestError: See `recommend_many`.
        """
        return _only(self.recommend_many([query], BatchRecord(), exactly=exactly))

    def recommend_many(
        self,
        queries: Sequence[RecommendQuery],
        record: BatchRecord,
        *,
        exactly: bool = False,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> list[Recommendation | RequestError]:
        """The best k candidates for each request.

        Args:
            queries: Who asks, and for what.
            record: Takes the times of the stages, and where the index was not enough.
            exactly: Whether to score every candidate instead of asking the index.
            is_wanted: Asked before explanations, which take long; where it says no, they are left out.

        Returns:
            By request its answer, or an `UnknownMovie` where its history names a movie that the bundle does
            not know, an `InvalidField` where a rating is outside the scale or nothing says who asks.
        """
        prepared = [self._prepare(query) for query in queries]
        tasks = [task for task in prepared if isinstance(task, _Task)]
        record.lap("history")
        states = self._states.read([task.person for task in tasks]) if tasks else _NO_STATES
        record.lap("embed")
        lists = self._find_lists(tasks, states, record, exactly)
        for task, ranked in zip(tasks, lists, strict=True):
            if task.query.rank_by == "retrieval":
                self._cut_page(task.query, ranked)
        record.lap("rescore")
        stars = self.rating_head.predict(states, [ranked.rows for ranked in lists])
        record.lap("rating")
        for task, ranked, predicted in zip(tasks, lists, stars, strict=True):
            ranked.stars = predicted
            if task.query.rank_by != "retrieval":
                self._cut_page(task.query, ranked)
        record.lap("rescore")
        pages = zip(tasks, lists, strict=True)
        answers = [
            task if isinstance(task, RequestError) else self._answer(*next(pages), is_wanted)
            for task in prepared
        ]
        if any(task.query.explain for task in tasks):
            record.lap("explain")
        return answers

    def ask_index(self, query: RecommendQuery) -> NDArray[np.int32]:
        """Candidate rows, int32, that Annoy alone finds for a request, among them k that are not excluded.

        All rows, where Annoy is not asked for so many, or nobody's taste is known.
        """
        task = self._prepare(query)
        nearest = None
        if isinstance(task, _Task) and task.person.source != "popular":
            [state] = self.tower.read([task.person.tower_input()])
            embedding = state[: self.manifest.embedding_dimension]
            nearest = self.index.nearest(embedding, query.k + task.allowed.num_excluded)
        return np.arange(len(self.index), dtype=np.int32) if nearest is None else nearest

    def predict_rating(self, query: RatingQuery) -> PredictedRating:
        """As `predict_many`, for one request.

        Raises:
            RequestError: See `predict_many`.
        """
        return _only(self.predict_many([query], BatchRecord()))

    def predict_many(
        self, queries: Sequence[RatingQuery], record: BatchRecord
    ) -> list[PredictedRating | RequestError]:
        """The stars that one person would give one movie, for each request.

        Returns:
            By request its answer, or an `UnknownMovie` where the bundle does not know the movie or one of the
            history, an `InvalidField` where a rating is outside the scale, nothing says who asks, or no movie
            is named.
        """
        prepared = [self._prepare_rating(query) for query in queries]
        asked = [each for each in prepared if not isinstance(each, RequestError)]
        record.lap("history")
        states = self._states.read([person for person, _ in asked]) if asked else _NO_STATES
        record.lap("embed")
        rows = [np.array([row], np.int32) for _, row in asked]
        stars = iter(self.rating_head.predict(states, rows))
        record.lap("rating")
        return [
            each
            if isinstance(each, RequestError)
            else PredictedRating(row=each[1], stars=float(next(stars)[0]), known_user=each[0].is_known)
            for each in prepared
        ]

    def _prepare_rating(self, query: RatingQuery) -> tuple[Person, int] | RequestError:
        try:
            row = self._named_row(query)
            return self._people.find(query.user_id, query.history, query.timestamp), row
        except RequestError as error:
            return error

    def _named_row(self, query: RatingQuery) -> int:
        if query.movie_id is not None:
            return self.catalogue.row_of(query.movie_id)
        if query.movie_title is not None:
            return self.catalogue.row_of_title(query.movie_title)
        raise InvalidField("expected movie_id or movie_title, got neither", field="movie_id")

    def _prepare(self, query: RecommendQuery) -> _Task | RequestError:
        try:
            person = self._people.find(query.user_id, query.history, query.timestamp)
        except RequestError as error:
            return error
        excluded = person.seen.rows if query.exclude_seen else _NO_ROWS
        if query.exclude:
            excluded = np.concatenate([excluded, self.catalogue.known_rows(query.exclude)])
        return _Task(query, person, self._filters.allow(query.filter, excluded))

    def _find_lists(
        self, tasks: Sequence[_Task], states: NDArray[np.float32], record: BatchRecord, exactly: bool
    ) -> list[RankedList]:
        """By task the list down to the end of its page, or the pool that is put into another order."""
        embeddings = np.ascontiguousarray(states[:, : self.manifest.embedding_dimension])
        lists = []
        for task, embedding in zip(tasks, embeddings, strict=True):
            depth = DEEPEST if task.query.is_reordered else task.query.depth
            if task.person.source == "popular":
                rows, scores = self._most_rated(task.allowed, depth)
            else:
                rows, scores = self._search.best(embedding, task.allowed, depth, record, exactly=exactly)
            lists.append(RankedList(rows, scores, scores.astype(np.float64)))
        record.lap("index")
        return lists

    def _most_rated(self, allowed: Allowed, depth: int) -> Found:
        rows = self.catalogue.popular_rows
        rows = rows[allowed.mask[rows]][:depth]
        counts = np.array([self.catalogue.num_ratings[row] for row in rows.tolist()])
        return rows, (counts / len(self.histories)).astype(np.float32)

    def _cut_page(self, query: RecommendQuery, ranked: RankedList) -> None:
        if query.is_reordered:
            ranked.reorder(query, self.index.embeddings(ranked.rows))
        ranked.keep(slice(query.offset, query.depth))

    def _answer(self, task: _Task, ranked: RankedList, is_wanted: Callable[[], bool]) -> Recommendation:
        because = None
        if task.query.explain:
            because = explain(self.tower, task.person, self.index.embeddings(ranked.rows), is_wanted)
        assert ranked.stars is not None  # noqa: S101 every list is rated before it is an answer
        return Recommendation(
            source=task.person.source,
            offset=task.query.offset,
            rows=ranked.rows,
            scores=ranked.scores,
            rank_scores=ranked.keys,
            predicted_ratings=ranked.stars,
            because=because,
        )


def _only(answers: list[T | RequestError]) -> T:
    [answer] = answers
    if isinstance(answer, RequestError):
        raise answer
    return answer
