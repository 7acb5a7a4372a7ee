"""Names of what a model has learned, and of what the rows of its tables stand for."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import keras


class Rows(StrEnum):
    """What the rows of a variable stand for, so that they are found again in a model of other data."""

    USERS = "users"
    CANDIDATES = "candidates"
    CONTENT = "content"
    USER_FEATURES = "user_features"
    TIMES = "times"
    NONE = "none"
    """The variable is one whole, of the same shape for all data."""


class LearnedTable(NamedTuple):
    """A trained variable and what its rows are."""

    rows: Rows
    variable: keras.Variable


LearnedTables = dict[str, LearnedTable]
"""By names that do not change from one model to another, such as `candidate_tower:ids`."""


def wholes(name: str, layers: list[keras.layers.Layer]) -> LearnedTables:
    """Name the weights of layers without rows, by their places."""
    return {
        f"{name}:{place}:{number}": LearnedTable(Rows.NONE, weight)
        for place, layer in enumerate(layers)
        for number, weight in enumerate(layer.weights)
    }
