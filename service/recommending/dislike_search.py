"""Lists in the order of `service.recommending.dislikes`, without a prediction for each movie of the pool.

No key is larger than the lesser of the two scores it is made of. So keys are computed of the movies of the
highest minima only: once that of the last place wanted is above the minima of all others, none of them can
come before it. Where it is not, or the page is deep, the whole pool must be rated. As in `BestCandidates`,
products of matrices say which movies may be on the page; only these get exact scores, stars and keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle.best_candidates import least_of_best
from service.bundle.candidate_index import CandidateIndex
from service.bundle.rating_head import RatingHead
from service.recommending.dislikes import Scale, keys_with_dislikes, stars_weight
from service.recommending.queries import DEEPEST
from service.recommending.ranking import RankedList
from service.recommending.tasks import ListTask

DEEPEST_SETTLED = 64
"""Deepest end of a page that is tried."""
_LEAST, _PER_PLACE = 768, 16
"""Movies whose keys are computed for a page: it is nearly always among them, also for ten random stars."""


@dataclass(frozen=True)
class DislikeSearch:
    """Finds the lists of cold-start users with dislikes.

    Attributes:
        index: The candidates.
        head: Predicts ratings.
        scale: Of the ratings.
        embedding_dimension: So many columns of a query state are its embedding.
    """

    index: CandidateIndex
    head: RatingHead
    scale: Scale
    embedding_dimension: int

    def find(
        self, tasks: Sequence[ListTask], states: NDArray[np.float32], liked_states: NDArray[np.float32]
    ) -> list[RankedList | None]:
        """By task the list down to the end of its page, rated; None where the whole pool must be rated.

        Args:
            tasks: At least one; nothing else is to change the order of any.
            states: float32 `[len(tasks), S]`, of the users.
            liked_states: float32 `[len(tasks), S]`, of the users without dislikes.
        """
        queries, others = (
            np.ascontiguousarray(each[:, : self.embedding_dimension]) for each in (states, liked_states)
        )
        missing = [task.allowed.missing for task in tasks]
        excluded = np.array([len(each) for each in missing], np.int64), np.concatenate(missing)
        best = self.index.best
        about = best.about(queries, *excluded)
        minima = np.minimum(about, best.about(others, np.zeros(len(tasks), np.int64), np.empty(0, np.int32)))
        most = max(_LEAST, _PER_PLACE * max(task.query.depth for task in tasks))
        floors = np.maximum(least_of_best(minima, most), np.finfo(np.float32).min)
        places = np.flatnonzero(minima >= floors[:, None])
        of_query = places // minima.shape[1]
        rows = (places - of_query * minima.shape[1]).astype(np.int32)
        products, stars_slack = self.head.about_products(states)
        stars = self.head.predict_of_products(states, of_query, rows, products[of_query, rows])
        weight = stars_weight(self.scale)
        keys = minima[of_query, rows] - weight * (self.scale[1] - stars)
        score_slack = np.maximum(best.slack(queries), best.slack(others)).astype(np.float64)
        slack = score_slack + weight * stars_slack
        ends = np.cumsum(np.bincount(of_query, minlength=len(tasks))).tolist()
        lists: list[RankedList | None] = []
        for place, (task, start, end) in enumerate(zip(tasks, [0, *ends[:-1]], ends, strict=True)):
            own, depth = keys[start:end], task.query.depth
            last = np.partition(own, len(own) - depth)[len(own) - depth] if len(own) >= depth else -np.inf
            lowest = last - slack[place]
            is_settled = (
                lowest > floors[place] + score_slack[place]
                and np.count_nonzero(about[place] >= lowest - score_slack[place]) <= DEEPEST
            )
            chosen = rows[start:end][own >= last - 2 * slack[place]] if is_settled else None
            lists.append(
                None
                if chosen is None
                else self._exact(chosen, queries[place], others[place], states[place : place + 1], depth)
            )
        return lists

    def _exact(
        self,
        rows: NDArray[np.int32],
        query: NDArray[np.float32],
        other: NDArray[np.float32],
        state: NDArray[np.float32],
        depth: int,
    ) -> RankedList:
        """The best of the rows by their exact keys."""
        [stars] = self.head.predict(state, [rows])
        scores = self.index.score(query, rows)
        keys = keys_with_dislikes(scores, self.index.score(other, rows), stars, self.scale)
        ranked = RankedList(rows, scores, keys, stars, stars_weight=stars_weight(self.scale))
        ranked.keep(np.lexsort((rows, -keys))[:depth])
        return ranked
