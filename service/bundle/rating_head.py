"""Stars from query states, in numpy: what `service.bundle` says that `predict_rating` computes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import RATING_ARRAYS, RATING_HEAD_FILE
from service.bundle.files import load_array, load_json
from service.bundle.manifest import Manifest
from service.errors import BundleInconsistent

Floats = NDArray[np.float32]
Stars = NDArray[np.float64]

_INPUTS = 5


class RatingHead:
    """The arrays of `bundle.RATING_ARRAYS`, memory-mapped, and the layers of `bundle.RATING_HEAD_FILE`.

    Every rating is computed element by element, by no product of matrices: it is the same to the last bit
    whichever others are asked for.

    Args:
        bundle_directory: The bundle.
        manifest: Its manifest.

    Raises:
        BundleUnreadable: A file is missing or may not be read.
        BundleInconsistent: Arrays or layers of other shapes than the contract says.
    """

    def __init__(self, bundle_directory: Path, manifest: Manifest) -> None:
        self._dimension = manifest.embedding_dimension
        self._scale = manifest.rating_scale
        self._vectors, self._biases, self._confidences = (  # float32 by candidate
            load_array(bundle_directory / RATING_ARRAYS[name], np.float32, dimensions=dimensions)
            for name, dimensions in (("vectors", 2), ("biases", 1), ("confidences", 1))
        )
        path = bundle_directory / RATING_HEAD_FILE
        lengths = {len(array) for array in (self._vectors, self._biases, self._confidences)}
        if lengths != {manifest.index["candidates"]}:
            raise BundleInconsistent(
                f"{path.parent}: expected arrays of {manifest.index['candidates']} candidates, got "
                f"{sorted(lengths)}; export again"
            )
        self._mean, self._spread, self._layers = _read_head(path)

    @property
    def state_width(self) -> int:
        """Columns of the query states that it reads."""
        return self._dimension + int(self._vectors.shape[1]) + 2

    def predict(self, states: Floats, rows: Sequence[NDArray[np.int32]]) -> list[Stars]:
        """By query the stars float64 `[n]` of its int32 `[n]` candidate rows, clipped to the scale.

        Args:
            states: float32 `[B, state_width]`.
            rows: B arrays of any lengths.
        """
        if not rows:
            return []
        lengths = [len(each) for each in rows]
        asked = np.concatenate(rows)
        of_query = np.repeat(states[:, self._dimension :], lengths, axis=0)
        query_bias, movie_bias = of_query[:, -2], self._biases[asked]
        products = np.vecdot(self._vectors[asked], of_query[:, :-2])
        predicted = query_bias + movie_bias + products
        if self._layers:
            values = (query_bias, movie_bias, products, self._confidences[asked], of_query[:, -1])
            predicted += _apply(self._layers, np.stack(values, axis=1))
        # Clipped as float64, for the float32 nearest to 4.3 lies above it.
        stars = np.clip((self._mean + self._spread * predicted).astype(np.float64), *self._scale)
        return np.split(stars, np.cumsum(lengths[:-1]))


_Layers = list[tuple[Floats, Floats]]


def _read_head(path: Path) -> tuple[np.float32, np.float32, _Layers]:
    document: Any = load_json(path)
    try:
        mean, spread = np.float32(document["mean_stars"]), np.float32(document["spread_stars"])
        layers = [
            (np.array(layer["kernel"], np.float32), np.array(layer["bias"], np.float32))
            for layer in document["layers"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInconsistent(f"{path}: not a rating head ({error!r}); export again") from error
    widths = [_INPUTS, *(len(bias) for _, bias in layers)] if layers else [1]
    shapes = list(pairwise(widths))
    if [kernel.shape for kernel, _ in layers] != shapes or widths[-1] != 1:
        raise BundleInconsistent(
            f"{path}: expected layers from {_INPUTS} values to 1, each as wide as the next one reads, got "
            f"kernels of {[kernel.shape for kernel, _ in layers]}; export again"
        )
    return mean, spread, layers


def _apply(layers: _Layers, values: Floats) -> Floats:
    """float32 `[n, 5]` to `[n]`."""
    for kernel, bias in layers[:-1]:
        hidden = np.repeat(bias[None], len(values), axis=0)
        for place, weights in enumerate(kernel):
            hidden += values[:, place, None] * weights
        values = np.maximum(hidden, 0, out=hidden)
    kernel, bias = layers[-1]
    corrections: Floats = np.vecdot(values, np.ascontiguousarray(kernel[:, 0])) + bias[0]
    return corrections
