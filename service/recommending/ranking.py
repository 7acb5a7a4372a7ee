"""Re-ranking of a list: by score, by predicted rating, by a blend of both, and for diversity.

`rank_by` gives each movie of the pool its sort key:

retrieval   the score
rating      the predicted rating
blend       z(score) + z(rating), where z standardizes within the pool (0 if all are equal), so that both
            weigh the same (Montague and Aslam 2001, https://doi.org/10.1145/502585.502657)

`diversity` d then picks greedily by maximal marginal relevance (Carbonell and Goldstein 1998,
https://doi.org/10.1145/290941.291025):

(1 - d) * relevance - d * similarity

relevance is the key scaled to 0 to 1 within the pool, similarity the largest cosine, at least 0, between the
movie's candidate embedding and those picked before. Similarity only grows, so values never rise down the
list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.recommending.dislikes import Scale, keys_with_dislikes, stars_weight
from service.recommending.queries import RankBy, RecommendQuery

Keys = NDArray[np.float64]
Order = NDArray[np.intp]


@dataclass(slots=True)
class RankedList:
    """An ordered list of movies with what orders them.

    Attributes:
        rows: int32 `[n]`, candidate rows.
        scores: float32 `[n]`.
        keys: float64 `[n]`, sort keys, non-increasing.
        stars: float64 `[n]`, predicted ratings; NaN in a bundle without ratings, None before.
        explored: bool `[n]`, which were put in by exploration; None without.
        score_weight, stars_weight: What a unit of score and a star count in the keys, before diversity.
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    keys: Keys
    stars: NDArray[np.float64] | None = None
    explored: NDArray[np.bool_] | None = None
    score_weight: float = 1.0
    stars_weight: float = 0.0

    def keep(self, places: Order | slice) -> None:
        """Keep the movies at these positions, in that order."""
        self.rows, self.scores, self.keys = self.rows[places], self.scores[places], self.keys[places]
        self.stars = None if self.stars is None else self.stars[places]
        self.explored = None if self.explored is None else self.explored[places]

    def heed_dislikes(self, without: NDArray[np.float32], scale: Scale) -> None:
        """Sort the pool as `service.recommending.dislikes` says.

        Args:
            without: float32 `[n]`, the scores without disliked movies.
            scale: Of the stars, which are needed.
        """
        assert self.stars is not None  # noqa: S101 ratings are predicted before
        self.keys = keys_with_dislikes(self.scores, without, self.stars, scale)
        self.stars_weight = stars_weight(scale)
        self.keep(np.lexsort((self.rows, -self.keys)))

    def reorder(self, query: RecommendQuery, embeddings: NDArray[np.float32]) -> None:
        """Sort the pool as the query requests.

        Args:
            query: Its `rank_by` and `diversity` are used; by ratings needs `stars`.
            embeddings: float32 `[n, embedding_dimension]`, of the movies in their present order.
        """
        if query.rank_by in {"rating", "blend"}:
            assert self.stars is not None  # noqa: S101 ratings are predicted before
            self.keys = ranking_keys(query.rank_by, self.scores, self.stars)
            self.score_weight, self.stars_weight = 0.0, 1.0
            if query.rank_by == "blend":
                self.score_weight, self.stars_weight = _scaling(self.scores), _scaling(self.stars)
            order = np.lexsort((self.rows, -self.keys))
            self.keep(order)
            embeddings = embeddings[order]
        if query.diversity > 0:
            order, values = pick_diverse(self.keys, embeddings, query.diversity, query.depth)
            self.keep(order)
            self.keys = values


def ranking_keys(rank_by: RankBy, scores: NDArray[np.float32], stars: NDArray[np.float64]) -> Keys:
    """Return the sort keys float64 `[n]` of `rating` or `blend` for a pool's scores `[n]` and stars `[n]`."""
    if rank_by == "rating":
        return stars
    return _standardized(scores.astype(np.float64)) + _standardized(stars)


def pick_diverse(
    keys: Keys, embeddings: NDArray[np.float32], diversity: float, count: int
) -> tuple[Order, Keys]:
    """Pick movies greedily by maximal marginal relevance; return their positions and those values.

    Args:
        keys: float64 `[n]`, non-increasing.
        embeddings: float32 `[n, embedding_dimension]`, of the same movies.
        diversity: From 0 (by key only) to 1 (by dissimilarity only).
        count: How many to pick; a larger count only appends.
    """
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    directions = embeddings / np.where(norms > 0, norms, 1)
    spread = np.ptp(keys) if len(keys) else 0.0
    relevance = (1 - diversity) * ((keys - keys.min()) / spread if spread > 0 else np.zeros_like(keys))
    similarity = np.zeros(len(keys))
    count = min(count, len(keys))
    order, values = np.empty(count, np.intp), np.empty(count)
    for place in range(count):
        marginal = relevance - diversity * similarity
        marginal[order[:place]] = -np.inf
        best = int(np.argmax(marginal))
        order[place], values[place] = best, marginal[best]
        np.maximum(similarity, np.vecdot(directions, directions[best]), out=similarity)
    return order, values


def _standardized(values: Keys) -> Keys:
    deviation = values.std() if len(values) else 0.0
    return (values - values.mean()) / deviation if deviation > 0 else np.zeros_like(values)


def _scaling(values: NDArray[np.floating]) -> float:
    """What a unit counts once they are standardized."""
    deviation = float(values.astype(np.float64).std()) if len(values) else 0.0
    return 1 / deviation if deviation > 0 else 0.0
