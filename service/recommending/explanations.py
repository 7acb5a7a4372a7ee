"""Leave-one-out explanations: which movies of the history contribute most to an item's score.

A movie's contribution is what the score loses when the query tower reads the history without it. If the
history is longer than `max_history`, the next older movie takes the free place.

The cost is one query embedding for each movie of the history: at most `max_history` of them, of at most
`max_history` movies each, in model calls of `READINGS_PER_CALL`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from service.bundle.query_tower import QueryTower
from service.recommending.queries import MOST_NAMED, Contribution
from service.recommending.query_users import QueryUser

READINGS_PER_CALL = 64

LEAST_CONTRIBUTION = 1e-4
"""Smaller contributions are not shown: float32 sums of dozens of terms differ by as much with their order."""


def explain(
    tower: QueryTower,
    user: QueryUser,
    candidates: NDArray[np.float32],
    is_wanted: Callable[[], bool],
) -> list[list[Contribution]]:
    """Return for each item up to `MOST_NAMED` movies of the history, largest contribution first.

    Args:
        tower: The query tower.
        user: Whose history it is.
        candidates: float32 `[n, embedding_dimension]`, embeddings of the items.
        is_wanted: Called before each model call; once it returns False, all lists are empty.
    """
    inputs = user.inputs_without_each()
    if not inputs or not len(candidates):
        return [[] for _ in candidates]
    chunks = []
    for start in range(0, len(inputs), READINGS_PER_CALL):
        if not is_wanted():
            return [[] for _ in candidates]
        chunks.append(tower.read(inputs[start : start + READINGS_PER_CALL]))
    differences = tower.read([user.tower_input()]) - np.concatenate(chunks)
    lost = candidates @ differences[:, : candidates.shape[1]].T
    rows = user.read.rows
    # Stable: of equal contributions the older movie comes first.
    order = np.argsort(-lost, axis=1, kind="stable")[:, :MOST_NAMED]
    return [
        [
            Contribution(int(rows[place]), float(losses[place]))
            for place in places
            if losses[place] > LEAST_CONTRIBUTION
        ]
        for places, losses in zip(order, lost, strict=True)
    ]
