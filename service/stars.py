"""Stars that people would give movies, for lists of any lengths in as few model calls as padding allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.people import Person
from service.query_tower import QueryTower

Stars = NDArray[np.float64]

_LONGEST_PAGE = 128


class StarPredictor:
    """Asks the model, and keeps its answers on the scale.

    Args:
        tower: The model.
        scale: Smallest and largest stars.
    """

    def __init__(self, tower: QueryTower, scale: tuple[float, float]) -> None:
        self._tower = tower
        self._scale = scale

    def predict(self, people: Sequence[Person], rows: Sequence[NDArray[np.int32]]) -> list[Stars]:
        """By person the stars float64 `[n]` of their int32 `[n]` candidate rows.

        One model call, or two: long lists are rated apart from short ones, which would else all be padded to
        the length of the longest.
        """
        stars: list[Stars] = [np.empty(0)] * len(people)
        lengths = [len(each) for each in rows]
        short = [place for place, length in enumerate(lengths) if 0 < length <= _LONGEST_PAGE]
        long = [place for place, length in enumerate(lengths) if length > _LONGEST_PAGE]
        for places in (short, long):
            if not places:
                continue
            padded = np.zeros((len(places), max(lengths[place] for place in places)), np.int32)
            for line, place in enumerate(places):
                padded[line, : lengths[place]] = rows[place]
            predicted = self._tower.predict_ratings([people[place].tower_input() for place in places], padded)
            # Clipped again, for the float32 nearest to 4.3 lies above it.
            clipped = np.clip(predicted.astype(np.float64), *self._scale)
            for line, place in enumerate(places):
                stars[place] = clipped[line, : lengths[place]]
        return stars
