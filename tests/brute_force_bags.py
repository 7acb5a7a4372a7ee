"""Sums of weighted feature embeddings by a loop, to compare the towers with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from training.model.features import FeatureBags

Array = NDArray[np.floating[Any]]


def bag(bags: FeatureBags, table: Array, row: int) -> Array:
    """The weighted sum `[dimension]` of the embeddings of a row's features."""
    total = np.zeros(table.shape[1])
    for feature, weight in zip(bags.rows[row].tolist(), bags.weights[row].tolist(), strict=True):
        if feature != NO_ROW:
            total += weight * table[feature]
    return total
