"""Composes model, index, catalogue and histories of one bundle: numpy in, numpy out, no HTTP.

It works on many requests at once. Each is prepared by itself and may be refused alone, then all share one
reading of their histories by the model, and one prediction of stars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.bundle.catalogue import Catalogue
from service.bundle.histories import Histories
from service.bundle.manifest import Manifest
from service.bundle.query_tower import QueryTower
from service.bundle.rating_head import RatingHead
from service.errors import RequestError
from service.recommending.batch_record import BatchRecord
from service.recommending.candidate_search import CandidateSearch, Found
from service.recommending.encoding import AnswerEncoder
from service.recommending.explanations import explain
from service.recommending.filters import Allowed
from service.recommending.queries import DEEPEST, PredictedRating, RatingQuery, Recommendation, RecommendQuery
from service.recommending.query_states import QueryStates
from service.recommending.ranking import RankedList
from service.recommending.similar_movies import SimilarMovies
from service.recommending.tasks import ListTask, RatingTask, Task, Tasks
from service.settings import IndexKind

T = TypeVar("T")

_READ_TOGETHER = 64
"""Of those who are read before they ask: a few milliseconds of work."""


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
    def tasks(self) -> Tasks:
        """Prepares requests, or refuses them."""
        return Tasks(self.catalogue, self.histories, self.manifest)

    @cached_property
    def states(self) -> QueryStates:
        """Has the model read what people saw."""
        return QueryStates(self.tower, self.remembered_users)

    @cached_property
    def encoder(self) -> AnswerEncoder:
        """Encodes this bundle's answers."""
        return AnswerEncoder(self.catalogue, self.bundle_id)

    @cached_property
    def similar_movies(self) -> SimilarMovies:
        """Compares the bundle's movies with each other."""
        return SimilarMovies(self.index)

    @cached_property
    def _search(self) -> CandidateSearch:
        return CandidateSearch(self.index, self.index_kind)

    def make_lists(
        self,
        tasks: Sequence[ListTask],
        states: NDArray[np.float32],
        record: BatchRecord,
        *,
        exactly: bool = False,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> list[Recommendation]:
        """By task the best candidates.

        Args:
            tasks: Who asks, and for what.
            states: float32 `[len(tasks), tower.width]`, of `states`.
            record: Takes the times of the stages, and where the index was not enough.
            exactly: Whether to score every candidate instead of asking the index.
            is_wanted: Asked before explanations, which take long; where it says no, they are left out.
        """
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
        answers = [self._answer(task, ranked, is_wanted) for task, ranked in zip(tasks, lists, strict=True)]
        if any(task.query.explain for task in tasks):
            record.lap("explain")
        return answers

    def predict_stars(
        self, tasks: Sequence[RatingTask], states: NDArray[np.float32], record: BatchRecord
    ) -> list[PredictedRating]:
        """By task the stars; arguments as of `make_lists`."""
        stars = self.rating_head.predict(states, [np.array([task.row], np.int32) for task in tasks])
        record.lap("rating")
        return [
            PredictedRating(row=task.row, stars=float(predicted), known_user=task.user.is_known)
            for task, [predicted] in zip(tasks, stars, strict=True)
        ]

    def recommend(self, query: RecommendQuery, *, exactly: bool = False) -> Recommendation:
        """The best k candidates for one request.

        Raises:
            RequestError: See `Tasks.make`.
        """
        return _only(self.recommend_many([query], BatchRecord(), exactly=exactly))

    def recommend_many(
        self, queries: Sequence[RecommendQuery], record: BatchRecord, *, exactly: bool = False
    ) -> list[Recommendation | RequestError]:
        """By request its list, or why there is none."""
        prepared = [self.tasks.make(query) for query in queries]
        tasks = [task for task in prepared if isinstance(task, ListTask)]
        states = self.states.read([task.user for task in tasks])
        return _in_place(prepared, self.make_lists(tasks, states, record, exactly=exactly))

    def predict_rating(self, query: RatingQuery) -> PredictedRating:
        """The stars that one person would give one movie.

        Raises:
            RequestError: See `Tasks.make`.
        """
        return _only(self.predict_many([query], BatchRecord()))

    def predict_many(
        self, queries: Sequence[RatingQuery], record: BatchRecord
    ) -> list[PredictedRating | RequestError]:
        """By request its rating, or why there is none."""
        prepared = [self.tasks.make(query) for query in queries]
        tasks = [task for task in prepared if isinstance(task, RatingTask)]
        states = self.states.read([task.user for task in tasks])
        return _in_place(prepared, self.predict_stars(tasks, states, record))

    def remember_those_of(self, other: Recommender) -> None:
        """Has the model read all whom another bundle's recommender remembers, before they ask."""
        user_ids = [other.histories.user_id_of(row) for row in other.states.remembered_rows]
        for start in range(0, len(user_ids), _READ_TOGETHER):
            prepared = [
                self.tasks.make(RecommendQuery(user_id=user_id))
                for user_id in user_ids[start : start + _READ_TOGETHER]
            ]
            self.states.read([each.user for each in prepared if not isinstance(each, RequestError)])

    def ask_index(self, query: RecommendQuery) -> NDArray[np.int32]:
        """Candidate rows, int32, that the index alone finds for a request, with k that are not excluded.

        All rows, where it is not asked for so many, or nobody's taste is known.
        """
        task = self.tasks.make(query)
        nearest = None
        if isinstance(task, ListTask) and task.user.source != "popular":
            [state] = self.tower.read([task.user.tower_input()])
            embedding = state[: self.manifest.embedding_dimension]
            nearest = self.index.nearest(embedding, query.k + task.allowed.num_excluded)
        return np.arange(len(self.index), dtype=np.int32) if nearest is None else nearest

    def _find_lists(
        self, tasks: Sequence[ListTask], states: NDArray[np.float32], record: BatchRecord, exactly: bool
    ) -> list[RankedList]:
        """By task the list down to the end of its page, or the pool that is put into another order."""
        embeddings = np.ascontiguousarray(states[:, : self.manifest.embedding_dimension])
        lists = []
        for task, embedding in zip(tasks, embeddings, strict=True):
            depth = DEEPEST if task.query.is_reordered else task.query.depth
            if task.user.source == "popular":
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

    def _answer(self, task: ListTask, ranked: RankedList, is_wanted: Callable[[], bool]) -> Recommendation:
        because = None
        if task.query.explain:
            because = explain(self.tower, task.user, self.index.embeddings(ranked.rows), is_wanted)
        assert ranked.stars is not None  # noqa: S101 every list is rated before it is an answer
        return Recommendation(
            source=task.user.source,
            offset=task.query.offset,
            rows=ranked.rows,
            scores=ranked.scores,
            rank_scores=ranked.keys,
            predicted_ratings=ranked.stars,
            because=because,
        )


def _in_place(prepared: Sequence[Task | RequestError], answers: Sequence[T]) -> list[T | RequestError]:
    """The answers in order, and between them what was refused."""
    answered = iter(answers)
    return [each if isinstance(each, RequestError) else next(answered) for each in prepared]


def _only(answers: list[T | RequestError]) -> T:
    [answer] = answers
    if isinstance(answer, RequestError):
        raise answer
    return answer
