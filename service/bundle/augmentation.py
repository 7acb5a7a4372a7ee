"""The coordinate that makes an angle order as the dot product does, see `index_description.AUGMENTATION`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 2**18


def augment(embeddings: NDArray[np.float32], largest_square: float | None = None) -> NDArray[np.float32]:
    """Append `sqrt(M^2 - |x|^2)`: float32 `[n, D]` to `[n, D + 1]`.

    Args:
        embeddings: float32 `[n, D]`.
        largest_square: M^2, where these are a part of the candidates; None: these are all of them.
    """
    squares = _squares(embeddings)
    rest = np.sqrt(np.maximum((squares.max() if largest_square is None else largest_square) - squares, 0))
    return np.concatenate([embeddings, rest[:, None].astype(np.float32)], axis=1)


def largest_square_of(embeddings: NDArray[np.float32]) -> float:
    """M^2 of float32 `[n, D]`, a part at a time."""
    starts = range(0, len(embeddings), _AT_ONCE)
    return max(float(_squares(embeddings[start : start + _AT_ONCE]).max()) for start in starts)


def _squares(embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    squares: NDArray[np.float64] = np.sum(embeddings.astype(np.float64) ** 2, axis=1)
    return squares
