"""The coordinate that makes an angle order as the dot product does, see `index_description.AUGMENTATION`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def augment(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Append `sqrt(M^2 - |x|^2)`: float32 `[n, D]` to `[n, D + 1]`."""
    squares = np.sum(embeddings.astype(np.float64) ** 2, axis=1)
    rest = np.sqrt(np.maximum(squares.max() - squares, 0))
    return np.concatenate([embeddings, rest[:, None].astype(np.float32)], axis=1)
