"""The order of a list: by similarity, by stars, by both, and with the alike kept apart.

`rank_by` gives each movie of a pool its key:

retrieval   the score
rating      the predicted stars
blend       z(score) + z(stars), where z takes off the pool's mean and divides by its standard deviation
            (0 where all are equal), so that both weigh the same whatever their scales (Montague and Aslam
            2001, https://doi.org/10.1145/502585.502657)

`diversity` d then picks greedily, every time the movie whose maximal marginal relevance is largest (Carbonell
and Goldstein 1998, https://doi.org/10.1145/290941.291025):

(1 - d) * relevance - d * likeness

relevance is the key moved to 0 to 1 within the pool, likeness the largest cosine, at least 0, between the
movie's candidate embedding and those picked before. As likeness only grows, values never rise down the list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.recommending.queries import RankBy, RecommendQuery

Keys = NDArray[np.float64]
Order = NDArray[np.intp]


@dataclass
class RankedList:
    """Movies in an order.

    Attributes:
        rows: int32 `[n]`, candidate rows.
        scores: float32 `[n]`.
        keys: float64 `[n]`, what orders them, never rising.
        stars: float64 `[n]`; None as long as nobody predicted them.
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    keys: Keys
    stars: NDArray[np.float64] | None = None

    def keep(self, places: Order | slice) -> None:
        """Leaves the movies at these places, in their order."""
        self.rows, self.scores, self.keys = self.rows[places], self.scores[places], self.keys[places]
        self.stars = None if self.stars is None else self.stars[places]

    def reorder(self, query: RecommendQuery, embeddings: NDArray[np.float32]) -> None:
        """Puts a pool into the order that is asked for.

        Args:
            query: Has `rank_by` and `diversity`; all but `retrieval` needs `stars`.
            embeddings: float32 `[n, embedding_dimension]`, the candidates as they stand.
        """
        if query.rank_by != "retrieval":
            assert self.stars is not None  # noqa: S101 or nobody could be ranked by them
            self.keys = ranking_keys(query.rank_by, self.scores, self.stars)
            order = np.lexsort((self.rows, -self.keys))
            self.keep(order)
            embeddings = embeddings[order]
        if query.diversity > 0:
            order, values = pick_diverse(self.keys, embeddings, query.diversity, query.depth)
            self.keep(order)
            self.keys = values


def ranking_keys(rank_by: RankBy, scores: NDArray[np.float32], stars: NDArray[np.float64]) -> Keys:
    """Keys float64 `[n]` of a pool's scores `[n]` and stars `[n]`."""
    if rank_by == "rating":
        return stars
    similarity = scores.astype(np.float64)
    return similarity if rank_by == "retrieval" else _standardized(similarity) + _standardized(stars)


def pick_diverse(
    keys: Keys, embeddings: NDArray[np.float32], diversity: float, count: int
) -> tuple[Order, Keys]:
    """Positions by falling marginal relevance, and those values.

    Args:
        keys: float64 `[n]`, never rising.
        embeddings: float32 `[n, embedding_dimension]`, the same movies.
        diversity: From 0, the order that is given, to 1, as unlike as can be.
        count: How many to pick; the first ones are the same for any count.
    """
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    directions = embeddings / np.where(norms > 0, norms, 1)
    spread = np.ptp(keys) if len(keys) else 0.0
    relevance = (1 - diversity) * ((keys - keys.min()) / spread if spread > 0 else np.zeros_like(keys))
    likeness = np.zeros(len(keys))
    count = min(count, len(keys))
    order, values = np.empty(count, np.intp), np.empty(count)
    for place in range(count):
        marginal = relevance - diversity * likeness
        marginal[order[:place]] = -np.inf
        best = int(np.argmax(marginal))
        order[place], values[place] = best, marginal[best]
        np.maximum(likeness, np.vecdot(directions, directions[best]), out=likeness)
    return order, values


def _standardized(values: Keys) -> Keys:
    deviation = values.std() if len(values) else 0.0
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros_like(values)
