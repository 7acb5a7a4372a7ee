"""Leave-one-out explanations: which movies of the history contribute most to an item's place.

A movie's contribution is what the item's sort key loses when the history is read without it: the score, the
predicted rating, or what else `rank_by` orders by, before `diversity`. If the history is longer than
`max_history`, the next older movie takes the free place. Movies that the user disliked are no reasons: those
that contribute all the same are named apart.

The cost is one query embedding for each movie of the history: at most `max_history` of them, of at most
`max_history` movies each, in model calls of `READINGS_PER_CALL`; for a cold-start user with dislikes twice
as many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.bundle.candidate_index import CandidateIndex
from service.bundle.query_tower import QueryTower, TowerInput
from service.recommending.dislikes import Scale, are_disliked
from service.recommending.predicted_stars import PredictedStars
from service.recommending.queries import MOST_NAMED, Contribution
from service.recommending.query_users import QueryUser
from service.recommending.ranking import RankedList

READINGS_PER_CALL = 64

LEAST_CONTRIBUTION = 1e-4
"""Smaller contributions are not shown: float32 sums of dozens of terms differ by as much with their order."""


class Reasons(NamedTuple):
    """Movies of the history that contribute to one item, each list with the largest contribution first.

    Attributes:
        because: Up to `MOST_NAMED` that the user liked, or did not rate.
        although: Up to `MOST_NAMED` that the user disliked.
    """

    because: Sequence[Contribution] = ()
    although: Sequence[Contribution] = ()


@dataclass(frozen=True)
class Explanations:
    """Explains the lists of one bundle.

    Attributes:
        tower: The query tower.
        index: The candidates.
        stars: Predicts ratings.
        embedding_dimension: So many columns of a query state are its embedding.
        rating_scale: Of the bundle; None without ratings.
    """

    tower: QueryTower
    index: CandidateIndex
    stars: PredictedStars
    embedding_dimension: int
    rating_scale: Scale | None

    def explain(
        self, user: QueryUser, liked: QueryUser | None, ranked: RankedList, is_wanted: Callable[[], bool]
    ) -> list[Reasons]:
        """The reasons of each item.

        Args:
            user: Whose history it is.
            liked: The user without dislikes, where these count in the list's order.
            ranked: The items, and what orders them.
            is_wanted: Called before each model call; once it returns False, there are no reasons.
        """
        nothing = [Reasons() for _ in ranked.rows]
        inputs = user.inputs_without_each()
        if not inputs or not len(ranked.rows):
            return nothing
        without = self._read(inputs, is_wanted)
        liked_without = self._read_liked(user, liked, is_wanted)
        if without is None or (liked is not None and liked_without is None):
            return nothing
        candidates = self.index.embeddings(ranked.rows)
        whole = self._keys(
            self.tower.read([user.tower_input()]),
            None if liked is None else self.tower.read([liked.tower_input()]),
            ranked,
            candidates,
        )
        lost = (whole - self._keys(without, liked_without, ranked, candidates)).T
        read = user.read
        disliked = are_disliked(read.ratings, self.rating_scale)
        contributions = [
            (int(row), None if np.isnan(stars) else float(str(stars)))
            for row, stars in zip(read.rows, read.ratings, strict=True)
        ]
        # Stable: of equal contributions the older movie comes first.
        order = np.argsort(-lost, axis=1, kind="stable")
        return [
            Reasons(
                *(
                    [
                        Contribution(row, float(losses[place]), stars)
                        for place in places[disliked[places] == is_disliked][:MOST_NAMED]
                        if losses[place] > LEAST_CONTRIBUTION
                        for row, stars in (contributions[place],)
                    ]
                    for is_disliked in (False, True)
                )
            )
            for places, losses in zip(order, lost, strict=True)
        ]

    def _read(
        self, inputs: Sequence[TowerInput], is_wanted: Callable[[], bool]
    ) -> NDArray[np.float32] | None:
        chunks = []
        for start in range(0, len(inputs), READINGS_PER_CALL):
            if not is_wanted():
                return None
            chunks.append(self.tower.read(inputs[start : start + READINGS_PER_CALL]))
        return np.concatenate(chunks)

    def _read_liked(
        self, user: QueryUser, liked: QueryUser | None, is_wanted: Callable[[], bool]
    ) -> NDArray[np.float32] | None:
        """What the model reads of the liked movies without each of the movies that it reads of the user."""
        if liked is None:
            return None
        states = self._read([liked.tower_input(), *liked.inputs_without_each()], is_wanted)
        if states is None:
            return None
        place_of = {row: place for place, row in enumerate(liked.read.rows.tolist(), 1)}
        return states[[place_of.get(row, 0) for row in user.read.rows.tolist()]]

    def _keys(
        self,
        states: NDArray[np.float32],
        liked_states: NDArray[np.float32] | None,
        ranked: RankedList,
        candidates: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        """float64 `[B, n]`: the items' sort keys, but for what is the same in all B states."""
        scores = self._scores(states, candidates)
        if liked_states is not None:
            scores = np.minimum(scores, self._scores(liked_states, candidates))
        keys = ranked.score_weight * scores
        if ranked.stars_weight:
            for start in range(0, len(states), READINGS_PER_CALL):
                part = slice(start, start + READINGS_PER_CALL)
                stars = self.stars.predict(states[part], [ranked.rows] * len(states[part]))
                keys[part] += ranked.stars_weight * np.stack(stars)
        return keys

    def _scores(self, states: NDArray[np.float32], candidates: NDArray[np.float32]) -> NDArray[np.float64]:
        embeddings = states[:, : self.embedding_dimension].astype(np.float64)
        scores: NDArray[np.float64] = embeddings @ candidates.T.astype(np.float64)
        return scores
