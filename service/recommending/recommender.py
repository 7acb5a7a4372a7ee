"""Recommend and predict ratings from one bundle, many queries at once: numpy in, numpy out, no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.bundle.catalogue import Catalogue
from service.bundle.histories import Histories
from service.bundle.manifest import Manifest
from service.bundle.query_tower import QueryTower
from service.bundle.rating_head import RatingHead
from service.errors import RequestError
from service.live.live_users import NO_STORE, LiveView
from service.live.posted_movies import NO_MOVIES_POSTED, PostedMovies
from service.recommending.candidate_search import CandidateSearch
from service.recommending.encoding import AnswerEncoder
from service.recommending.explanations import explain
from service.recommending.exploration import Exploration, explored_places, insert, phase_of
from service.recommending.forgotten_users import ForgottenUsers
from service.recommending.movie_search import MovieSearch
from service.recommending.posted_recommenders import PostedRecommenders
from service.recommending.queries import (
    DEEPEST,
    Answer,
    PredictedRating,
    Query,
    RatingQuery,
    Recommendation,
    RecommendQuery,
)
from service.recommending.query_states import QueryStates
from service.recommending.ranking import RankedList
from service.recommending.similar_movies import SimilarMovies
from service.recommending.stage_times import StageTimes
from service.recommending.stored_users import StoredUsers
from service.recommending.tasks import ListTask, RatingTask, Task, Tasks
from service.recommending.withheld_movies import WithheldMovies
from service.settings import IndexKind


@dataclass(frozen=True)
class Recommender:
    """Answers queries from one loaded bundle; safe to call from several threads at once."""

    manifest: Manifest
    catalogue: Catalogue
    histories: Histories
    index: CandidateIndex
    tower: QueryTower
    rating_head: RatingHead | None
    index_kind: IndexKind = "annoy"
    cached_users: int = 0
    explore: float = 0.0
    of_bundle: Recommender | None = None
    """The recommender of the bundle alone, for one that knows movies that were posted since."""

    @property
    def bundle_id(self) -> str:
        """The bundle's name, which every answer carries."""
        return self.manifest.bundle_id

    @cached_property
    def movie_search(self) -> MovieSearch:
        """Finds movies by title; prepared when the golden requests are replayed, because `tasks` needs it."""
        return MovieSearch(self.catalogue)

    @cached_property
    def _posted(self) -> PostedRecommenders:
        return PostedRecommenders(self)

    def with_movies(self, posted: PostedMovies) -> Recommender:
        """The recommender of the same bundle that knows what apps posted of movies.

        Made anew where that is another object than the last time, else at hand.
        """
        bundle = self.of_bundle or self
        return bundle if posted is NO_MOVIES_POSTED else bundle._posted.with_movies(posted)

    def with_catalogue(
        self,
        catalogue: Catalogue,
        search: MovieSearch,
        index: CandidateIndex,
        rating_head: RatingHead | None,
    ) -> Recommender:
        """The same with other movies after those of the bundle, or other titles; what is costly is shared."""
        other = replace(self, catalogue=catalogue, index=index, rating_head=rating_head, of_bundle=self)
        shared = {
            "movie_search": search,
            "states": self.states,
            "forgotten_users": self.forgotten_users,
            "_search": CandidateSearch(index, self.index_kind, widest=self._search.widest),
        }
        other.__dict__.update(shared)
        return other

    @property
    def num_trained(self) -> int:
        """How many movies the bundle was trained with: rows from here on are of new ones."""
        return self.manifest.index.candidates

    def mean_rating(self, row: int) -> float | None:
        """Mean stars of a movie; None where nobody rated it before the bundle was trained."""
        means = self.histories.mean_ratings
        mean = float(means[row]) if row < len(means) else np.nan
        return None if np.isnan(mean) else mean

    @cached_property
    def tasks(self) -> Tasks:
        """Turns queries into tasks, or refuses them."""
        return Tasks(self.catalogue, self.movie_search, self.stored_users, self.manifest)

    @cached_property
    def stored_users(self) -> StoredUsers:
        """What is stored of users: the bundle's histories, and over them the store of feedback."""
        return StoredUsers(self.catalogue, self.histories, self.manifest, size=self.cached_users)

    @cached_property
    def withheld_movies(self) -> WithheldMovies:
        """Which of the bundle's movies are not to be shown."""
        return WithheldMovies(self.catalogue)

    @cached_property
    def forgotten_users(self) -> ForgottenUsers:
        """Which of the bundle's users were forgotten since."""
        return ForgottenUsers(self.histories)

    @cached_property
    def states(self) -> QueryStates:
        """Query states, cached where the bundle and the store of feedback alone decide them."""
        return QueryStates(self.tower, self.cached_users)

    @cached_property
    def encoder(self) -> AnswerEncoder:
        """Encodes this bundle's answers."""
        return AnswerEncoder(self.catalogue, self.bundle_id, has_ratings=self.rating_head is not None)

    @cached_property
    def similar_movies(self) -> SimilarMovies:
        """Compares the bundle's movies with each other."""
        return SimilarMovies(self.index, None if self.of_bundle is None else self.of_bundle.similar_movies)

    @cached_property
    def _search(self) -> CandidateSearch:
        return CandidateSearch(self.index, self.index_kind)

    @cached_property
    def _exploration(self) -> Exploration:
        return Exploration(self.catalogue, self._search)

    def answer(
        self,
        queries: Sequence[Query],
        *,
        live: LiveView = NO_STORE,
        times: StageTimes | None = None,
        exactly: bool = False,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> list[Answer | RequestError]:
        """Answer queries of both kinds, in any order: the one path that every request takes.

        All share one reading of their histories by the model, and one prediction of stars for each kind.

        Args:
            queries: Each is prepared by itself, and may be refused alone.
            live: What the store of feedback holds of their users, and which movies it withholds.
            times: Takes the seconds of each stage, and where one query of the index was not enough.
            exactly: Whether to score every candidate instead of querying the index.
            is_wanted: Called before explanations, which take long; where it returns False, because no
                client waits any more, they are left out.

        Returns:
            As many as queries, in their order: a `Recommendation` or a `PredictedRating`, or a
            `RequestError` that says why there is none, see `Tasks.make`.
        """
        times = times or StageTimes()
        answers: dict[int, Answer | RequestError] = {}
        tasks: dict[int, Task] = {}
        withheld = self.withheld_movies.rows(live.withheld)
        for place, query in enumerate(queries):
            user_id = query.user_id
            user = None if user_id is None else live.users.get(user_id)
            task = self.tasks.make(query, user, withheld)
            if isinstance(task, RequestError):
                answers[place] = task
            else:
                tasks[place] = task
        times.lap("history")
        states = self.states.read([task.user for task in tasks.values()])
        times.lap("embed")
        row_of = {place: row for row, place in enumerate(tasks)}
        lists = {place: task for place, task in tasks.items() if isinstance(task, ListTask)}
        if lists:
            of_lists = states[[row_of[place] for place in lists]]
            made = self._recommend([*lists.values()], of_lists, times, exactly, is_wanted)
            answers.update(zip(lists, made, strict=True))
        ratings = {place: task for place, task in tasks.items() if isinstance(task, RatingTask)}
        if ratings:
            of_ratings = states[[row_of[place] for place in ratings]]
            predicted = self._predict_stars([*ratings.values()], of_ratings, times)
            answers.update(zip(ratings, predicted, strict=True))
        return [answers[place] for place in range(len(queries))]

    def recommend(self, query: RecommendQuery, *, exactly: bool = False) -> Recommendation:
        """Answer one request for a list.

        Raises:
            RequestError: See `Tasks.make`.
        """
        [answer] = self.answer([query], exactly=exactly)
        if isinstance(answer, Recommendation):
            return answer
        raise answer if isinstance(answer, RequestError) else TypeError(f"expected a list, got {answer}")

    def predict_rating(self, query: RatingQuery) -> PredictedRating:
        """Answer one request for a rating.

        Raises:
            RequestError: See `Tasks.make`.
        """
        [answer] = self.answer([query])
        if isinstance(answer, PredictedRating):
            return answer
        raise answer if isinstance(answer, RequestError) else TypeError(f"expected a rating, got {answer}")

    def _recommend(
        self,
        tasks: Sequence[ListTask],
        states: NDArray[np.float32],
        times: StageTimes,
        exactly: bool,
        is_wanted: Callable[[], bool],
    ) -> list[Recommendation]:
        """One list for each task; `states` float32 `[len(tasks), tower.width]`."""
        lists = self._find_lists(tasks, states, times, exactly)
        for place, (task, ranked) in enumerate(zip(tasks, lists, strict=True)):
            if task.query.rank_by == "retrieval":
                self._cut_page(task, ranked, states, place, times)
        times.lap("rescore")
        stars = self._rate(states, [ranked.rows for ranked in lists])
        times.lap("rating")
        for place, (task, ranked, predicted) in enumerate(zip(tasks, lists, stars, strict=True)):
            ranked.stars = predicted
            if task.query.rank_by != "retrieval":
                self._cut_page(task, ranked, states, place, times)
                if ranked.explored is not None:  # those are not of the pool
                    [ranked.stars] = self._rate(states[place : place + 1], [ranked.rows])
        times.lap("rescore")
        answers = [self._answer(task, ranked, is_wanted) for task, ranked in zip(tasks, lists, strict=True)]
        if any(task.query.explain for task in tasks):
            times.lap("explain")
        return answers

    def _predict_stars(
        self, tasks: Sequence[RatingTask], states: NDArray[np.float32], times: StageTimes
    ) -> list[PredictedRating]:
        """One rating for each task; `states` as of `_recommend`."""
        stars = self._rate(states, [np.array([task.row], np.int32) for task in tasks])
        times.lap("rating")
        return [
            PredictedRating(
                row=task.row,
                stars=float(predicted),
                known_user=task.user.is_known,
                ignored=task.user.ignored,
            )
            for task, [predicted] in zip(tasks, stars, strict=True)
        ]

    def _rate(
        self, states: NDArray[np.float32], rows: Sequence[NDArray[np.int32]]
    ) -> Sequence[NDArray[np.float64]]:
        """By list the stars of its candidates; NaN where the bundle predicts none."""
        if self.rating_head is None:
            return [np.full(len(each), np.nan) for each in rows]
        return self.rating_head.predict(states, rows)

    def _find_lists(
        self, tasks: Sequence[ListTask], states: NDArray[np.float32], times: StageTimes, exactly: bool
    ) -> list[RankedList]:
        """By task the list down to the end of its page, or the pool that is put into another order."""
        embeddings = np.ascontiguousarray(states[:, : self.manifest.embedding_dimension])
        lists = []
        for task, embedding in zip(tasks, embeddings, strict=True):
            depth = DEEPEST if task.query.is_reordered else task.query.depth
            rows, scores = self._search.best(embedding, task.allowed, depth, times, exactly=exactly)
            lists.append(RankedList(rows, scores, scores.astype(np.float64)))
        times.lap("index")
        return lists

    def _cut_page(
        self, task: ListTask, ranked: RankedList, states: NDArray[np.float32], place: int, times: StageTimes
    ) -> None:
        query = task.query
        if query.is_reordered:
            ranked.reorder(query, self.index.embeddings(ranked.rows))
        if share := self.explore if query.explore is None else query.explore:
            self._explore(task, ranked, states[place], share, times)
        ranked.keep(slice(query.offset, query.depth))

    def _explore(
        self,
        task: ListTask,
        ranked: RankedList,
        state: NDArray[np.float32],
        share: float,
        times: StageTimes,
    ) -> None:
        """Put cold movies into a list, with their scores as others have theirs."""
        depth, embedding = task.query.depth, state[: self.manifest.embedding_dimension].copy()
        cold = self._exploration.best(embedding, task.allowed, depth, times)
        places = explored_places(share, depth, phase_of(task.query.user_id, task.user.seen.rows))
        inserted = ranked.explored = insert(ranked, cold, places)
        ranked.scores[inserted] = self.index.score(embedding, ranked.rows[inserted])

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
            ignored=task.user.ignored,
            explored=ranked.explored,
        )
