"""`query_states.npy`: what the model makes of each user by the stored history alone, without a time.

float32 `[num_users, S]`, by user row, S as of `saved_model`. The service needs the model then only for what
came after training, and whatever scores all users needs no TensorFlow. Older bundles have none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.bundle.array_files import open_array
from service.bundle.disk import replacing
from service.bundle.histories import Histories
from service.bundle.manifest import Manifest
from service.bundle.query_tower import QueryTower
from service.errors import BundleInconsistent

STATES_FILE = "query_states.npy"

_USERS_AT_ONCE = 127
"""With what the tower adds a multiple of its batches."""


def write_stored_states(directory: Path, *, num_candidates: int, max_history: int) -> None:
    """Compute and write the states of all users, in memory of a few of them.

    Args:
        directory: Of a bundle that has `histories` and `model` already.
        num_candidates: Of it.
        max_history: The most recent movies of a history that the model reads.

    Raises:
        OSError: The file cannot be written.
    """
    histories, tower = Histories.open(directory, num_candidates), QueryTower.open(directory)
    with replacing(directory / STATES_FILE) as temporary:
        states = np.lib.format.open_memmap(
            temporary, mode="w+", dtype=np.float32, shape=(len(histories), tower.width)
        )
        for start in range(0, len(histories), _USERS_AT_ONCE):
            rows = np.arange(start, min(start + _USERS_AT_ONCE, len(histories)))
            states[rows] = tower.read_stored(histories, rows, max_history)
        states.flush()


def open_stored_states(directory: Path, manifest: Manifest, num_users: int) -> NDArray[np.float32] | None:
    """Map the states; None where the bundle has none.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleInconsistent: It has another type or shape.
    """
    if STATES_FILE not in manifest.files:
        return None
    path = directory / STATES_FILE
    states = open_array(path, np.float32, dimensions=2)
    if len(states) != num_users or states.shape[1] < manifest.embedding_dimension:
        raise BundleInconsistent(
            f"{path}: expected states of {num_users} users, at least {manifest.embedding_dimension} columns, "
            f"got {states.shape}; export again"
        )
    return states


def check_stored_states(
    directory: Path,
    states: NDArray[np.float32],
    tower: QueryTower,
    histories: Histories,
    max_history: int,
) -> None:
    """Compare the states of the first, a middle and the last user with what the model makes of them here.

    Raises:
        BundleInconsistent: They are another model's, or of other histories.
    """
    rows = np.unique([0, len(histories) // 2, len(histories) - 1])
    computed = tower.read_stored(histories, rows, max_history)
    if computed.shape != states[rows].shape or not np.allclose(computed, states[rows], rtol=1e-3, atol=1e-3):
        raise BundleInconsistent(
            f"{directory / STATES_FILE}: expected the states that the model makes of users {rows.tolist()}, "
            "got others; export again"
        )
