"""Predicted ratings of candidates, where the bundle predicts any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle.rating_head import RatingHead
from service.recommending.queries import PredictedRating
from service.recommending.stage_times import StageTimes
from service.recommending.tasks import RatingTask


@dataclass(frozen=True)
class PredictedStars:
    """Predicts stars.

    Attributes:
        head: Of the bundle; None where it predicts none.
    """

    head: RatingHead | None

    def predict(
        self, states: NDArray[np.float32], rows: Sequence[NDArray[np.int32]]
    ) -> Sequence[NDArray[np.float64]]:
        """By list the stars of its candidates; NaN where the bundle predicts none."""
        if self.head is None:
            return [np.full(len(each), np.nan) for each in rows]
        return self.head.predict(states, rows)

    def answer(
        self, tasks: Sequence[RatingTask], states: NDArray[np.float32], times: StageTimes
    ) -> list[PredictedRating]:
        """One rating for each task; `states` float32 `[len(tasks), tower.width]`."""
        stars = self.predict(states, [np.array([task.row], np.int32) for task in tasks])
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
