"""Lists of recommendations: candidates found, explored, put into their order, rated and explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.recommending.candidate_search import SCORES_AT_ONCE, CandidateSearch
from service.recommending.dislike_search import DEEPEST_SETTLED, DislikeSearch
from service.recommending.dislikes import Scale
from service.recommending.explanations import Explanations
from service.recommending.exploration import Exploration, explored_places, insert, phase_of
from service.recommending.predicted_stars import PredictedStars
from service.recommending.queries import DEEPEST, Recommendation
from service.recommending.ranking import RankedList
from service.recommending.stage_times import StageTimes
from service.recommending.tasks import ListTask


@dataclass(frozen=True)
class RecommendedLists:
    """Makes the lists of one catalogue.

    Attributes:
        explanations: Explain them.
        index: The candidates.
        search: Finds the best candidates.
        stars: Predicts their ratings.
        exploration: Puts cold movies into them.
        embedding_dimension: So many columns of a query state are its embedding.
        explore: Share of the places that cold movies get, where a query does not say.
        rating_scale: Of the bundle; None without ratings.
    """

    explanations: Explanations
    index: CandidateIndex
    search: CandidateSearch
    stars: PredictedStars
    exploration: Exploration
    embedding_dimension: int
    explore: float
    rating_scale: Scale | None

    def make(
        self,
        tasks: Sequence[ListTask],
        states: NDArray[np.float32],
        times: StageTimes,
        exactly: bool,
        is_wanted: Callable[[], bool],
        *,
        liked_states: Mapping[int, NDArray[np.float32]] = MappingProxyType({}),
    ) -> list[Recommendation]:
        """One list for each task.

        Args:
            tasks: What each is of.
            states: float32 `[len(tasks), tower.width]`.
            times: Takes the seconds of each stage.
            exactly: Whether to score every candidate.
            is_wanted: See `Recommender.answer`.
            liked_states: By place those of the tasks' `liked`, float32 `[tower.width]`.
        """
        ranked = self._settled(tasks, states, liked_states, times, exactly)
        left = [place for place in range(len(tasks)) if place not in ranked]
        if left:
            whole = len(left) == len(tasks)
            lists = self._ranked(
                [tasks[place] for place in left],
                states if whole else states[left],
                [liked_states.get(place) for place in left],
                times,
                exactly=exactly,
            )
            ranked.update(zip(left, lists, strict=True))
        answers = [self._answer(task, ranked[place], is_wanted) for place, task in enumerate(tasks)]
        if any(task.query.explain for task in tasks):
            times.lap("explain")
        return answers

    def _settled(
        self,
        tasks: Sequence[ListTask],
        states: NDArray[np.float32],
        liked_states: Mapping[int, NDArray[np.float32]],
        times: StageTimes,
        exactly: bool,
    ) -> dict[int, RankedList]:
        """By place the lists that only dislikes reorder, and that need no whole pool."""
        search = self._dislike_search
        if search is None or not liked_states or not (exactly or self.search.scans_all):
            return {}
        places = [place for place in liked_states if self._is_only_disliked(tasks[place])]
        if not places or len(places) * len(self.index) > SCORES_AT_ONCE:
            return {}
        chosen = [tasks[place] for place in places]
        of_liked = np.stack([liked_states[place] for place in places])
        found = search.find(chosen, states[places], of_liked)
        times.lap("index")
        lists = {place: each for place, each in zip(places, found, strict=True) if each is not None}
        for place, each in lists.items():
            each.keep(slice(tasks[place].query.offset, None))
        return lists

    def _is_only_disliked(self, task: ListTask) -> bool:
        query = task.query
        is_explored = bool(self.explore if query.explore is None else query.explore)
        is_filtered = 4 * task.allowed.num_passing < len(self.index)
        return not (query.is_reordered or is_explored or is_filtered or query.depth > DEEPEST_SETTLED)

    @cached_property
    def _dislike_search(self) -> DislikeSearch | None:
        head, scale = self.stars.head, self.rating_scale
        if head is None or scale is None:
            return None
        return DislikeSearch(self.index, head, scale, self.embedding_dimension)

    def _ranked(
        self,
        tasks: Sequence[ListTask],
        states: NDArray[np.float32],
        liked_states: Sequence[NDArray[np.float32] | None],
        times: StageTimes,
        *,
        exactly: bool,
    ) -> list[RankedList]:
        """The pages of lists, rated and in their order."""
        lists = self._find_lists(tasks, states, times, exactly)
        for place, (task, ranked) in enumerate(zip(tasks, lists, strict=True)):
            if not task.is_by_stars:
                self._cut_page(task, ranked, states, place, times)
        times.lap("rescore")
        stars = self.stars.predict(states, [ranked.rows for ranked in lists])
        times.lap("rating")
        for place, (task, ranked, predicted) in enumerate(zip(tasks, lists, stars, strict=True)):
            ranked.stars = predicted
            if task.is_by_stars:
                liked_state = liked_states[place]
                if liked_state is not None and self.rating_scale is not None:
                    liked = np.ascontiguousarray(liked_state[: self.embedding_dimension])
                    ranked.heed_dislikes(self.index.score(liked, ranked.rows), self.rating_scale)
                self._cut_page(task, ranked, states, place, times)
                if ranked.explored is not None:  # those are not of the pool
                    [ranked.stars] = self.stars.predict(states[place : place + 1], [ranked.rows])
        times.lap("rescore")
        return lists

    def _find_lists(
        self, tasks: Sequence[ListTask], states: NDArray[np.float32], times: StageTimes, exactly: bool
    ) -> list[RankedList]:
        """By task the list down to the end of its page, or the pool that is put into another order."""
        embeddings = np.ascontiguousarray(states[:, : self.embedding_dimension])
        allowed = [task.allowed for task in tasks]
        depths = [DEEPEST if task.is_reordered else task.query.depth for task in tasks]
        found = self.search.best_of_each(embeddings, allowed, depths, times, exactly=exactly)
        times.lap("index")
        return [RankedList(rows, scores, scores.astype(np.float64)) for rows, scores in found]

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
        depth, embedding = task.query.depth, state[: self.embedding_dimension].copy()
        cold = self.exploration.best(embedding, task.allowed, depth, times)
        places = explored_places(share, depth, phase_of(task.query.user_id, task.user.seen.rows))
        inserted = ranked.explored = insert(ranked, cold, places)
        ranked.scores[inserted] = self.index.score(embedding, ranked.rows[inserted])

    def _answer(self, task: ListTask, ranked: RankedList, is_wanted: Callable[[], bool]) -> Recommendation:
        reasons = None
        if task.query.explain:
            reasons = self.explanations.explain(task.user, task.liked, ranked, is_wanted)
        assert ranked.stars is not None  # noqa: S101 every list is rated before it is an answer
        return Recommendation(
            source=task.user.source,
            offset=task.query.offset,
            rows=ranked.rows,
            scores=ranked.scores,
            rank_scores=ranked.keys,
            predicted_ratings=ranked.stars,
            because=None if reasons is None else [each.because for each in reasons],
            although=None if reasons is None else [each.although for each in reasons],
            ignored=task.ignored,
            explored=ranked.explored,
            is_reordered=task.is_reordered,
        )
