"""The bias baseline: ratings from the user's and the movie's mean deviation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.model.rating_biases import fit_biases


class Biases:
    """mean + user's bias + movie's bias, see `fit_biases`."""

    def __init__(self, table: RatingsTable) -> None:
        self._biases = fit_biases(table)
        self._scale = table.rating_scale

    def predict(self, test: RatingsTable) -> NDArray[np.float64]:
        """Predict stars of each row of `test`, float64 `[n]`, clipped to the scale."""
        return self._biases.predict(test, self._scale)
