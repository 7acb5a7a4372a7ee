"""Recommend and predict ratings from one bundle, many queries at once: numpy in, numpy out, no HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from service.recommending.cached_lists import CachedLists
from service.recommending.candidate_search import CandidateSearch
from service.recommending.encoding import AnswerEncoder
from service.recommending.explanations import Explanations
from service.recommending.exploration import Exploration
from service.recommending.forgotten_users import ForgottenUsers
from service.recommending.movie_search import MovieSearch
from service.recommending.posted_recommenders import PostedRecommenders
from service.recommending.predicted_stars import PredictedStars
from service.recommending.queries import (
    Answer,
    PredictedRating,
    Query,
    RatingQuery,
    Recommendation,
    RecommendQuery,
)
from service.recommending.query_states import QueryStates
from service.recommending.recommended_lists import RecommendedLists
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
    stored_states: NDArray[np.float32] | None = None
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

    @property
    def num_trained(self) -> int:
        """How many movies the bundle was trained with: rows from here on are of new ones."""
        return self.manifest.index.candidates

    def mean_rating(self, row: int) -> float | None:
        """Mean stars of a movie; None where it was not rated before the bundle was trained."""
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
        return QueryStates(self.tower, self.cached_users, self.stored_states)

    @cached_property
    def cached_lists(self) -> CachedLists:
        """Lists, cached where the bundle and the store of feedback alone decide them."""
        # Explored places are not those of every query.
        return CachedLists(0 if self.explore else self.cached_users)

    @cached_property
    def encoder(self) -> AnswerEncoder:
        """Encodes this bundle's answers."""
        return AnswerEncoder(self.catalogue, self.bundle_id, has_ratings=self.rating_head is not None)

    @cached_property
    def similar_movies(self) -> SimilarMovies:
        """Compares the bundle's movies with each other."""
        return SimilarMovies(self.index, None if self.of_bundle is None else self.of_bundle.similar_movies)

    @cached_property
    def search(self) -> CandidateSearch:
        """Finds the best candidates."""
        return CandidateSearch(self.index, self.index_kind)

    @cached_property
    def _stars(self) -> PredictedStars:
        return PredictedStars(self.rating_head)

    @cached_property
    def _lists(self) -> RecommendedLists:
        dimension, scale = self.manifest.embedding_dimension, self.manifest.rating_scale
        return RecommendedLists(
            explanations=Explanations(self.tower, self.index, self._stars, dimension, scale),
            index=self.index,
            search=self.search,
            stars=self._stars,
            exploration=Exploration(self.catalogue, self.search),
            embedding_dimension=dimension,
            explore=self.explore,
            rating_scale=scale,
        )

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
            cached = None if exactly else self.cached_lists.find(query, live)
            if cached is not None:
                answers[place] = cached
                continue
            user_id = query.user_id
            user = None if user_id is None else live.users.get(user_id)
            task = self.tasks.make(query, user, withheld)
            if isinstance(task, RequestError):
                answers[place] = task
            else:
                tasks[place] = task
        times.lap("history")
        lists = {place: task for place, task in tasks.items() if isinstance(task, ListTask)}
        liked = {at: task.liked for at, task in enumerate(lists.values()) if task.liked is not None}
        states = self.states.read([*(task.user for task in tasks.values()), *liked.values()])
        times.lap("embed")
        row_of = {place: row for row, place in enumerate(tasks)}
        if lists:
            of_lists = states[[row_of[place] for place in lists]]
            of_liked = dict(zip(liked, states[len(tasks) :], strict=True))
            made = self._lists.make(
                [*lists.values()], of_lists, times, exactly, is_wanted, liked_states=of_liked
            )
            answers.update(zip(lists, made, strict=True))
            if not exactly:
                for task, recommendation in zip(lists.values(), made, strict=True):
                    self.cached_lists.add(task, recommendation, live)
        ratings = {place: task for place, task in tasks.items() if isinstance(task, RatingTask)}
        if ratings:
            of_ratings = states[[row_of[place] for place in ratings]]
            predicted = self._stars.answer([*ratings.values()], of_ratings, times)
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
