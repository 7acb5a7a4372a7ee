"""Why a movie is recommended: which movies of the history its score rests on, by the model's own arithmetic.

A movie's contribution is what the score loses when the model reads the history without it (leave one out).
Where the history is longer than the model reads, the next older movie takes the free place, as it would if
the person had never seen the movie left out.

That costs one more reading of the history for each of its movies: at most `max_history` readings of at most
`max_history` movies, in model calls of `READINGS_PER_CALL`.
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
"""float32 sums of dozens of terms differ by up to this with their order: less says nothing."""


def explain(
    tower: QueryTower,
    person: QueryUser,
    candidates: NDArray[np.float32],
    is_wanted: Callable[[], bool],
) -> list[list[Contribution]]:
    """Up to `MOST_NAMED` movies of the history for each item, the one that contributes most first.

    Args:
        tower: Reads histories.
        person: Who asked.
        candidates: float32 `[n, embedding_dimension]`, the items.
        is_wanted: Asked before each model call; where it says no, nobody waits and nothing is named.
    """
    inputs = person.inputs_without_each()
    if not inputs or not len(candidates):
        return [[] for _ in candidates]
    chunks = []
    for start in range(0, len(inputs), READINGS_PER_CALL):
        if not is_wanted():
            return [[] for _ in candidates]
        chunks.append(tower.read(inputs[start : start + READINGS_PER_CALL]))
    differences = tower.read([person.tower_input()]) - np.concatenate(chunks)
    lost = candidates @ differences[:, : candidates.shape[1]].T
    rows = person.seen.last(person.max_history).rows
    # Stable, so that of equal contributions the older movie comes first.
    order = np.argsort(-lost, axis=1, kind="stable")[:, :MOST_NAMED]
    return [
        [
            Contribution(int(rows[place]), float(losses[place]))
            for place in places
            if losses[place] > LEAST_CONTRIBUTION
        ]
        for places, losses in zip(order, lost, strict=True)
    ]
