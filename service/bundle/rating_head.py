"""`ratings/`: predict ratings from query states, in numpy, as the model's signature `predict_rating` does.

ratings/vectors.npy      float32 `[num_candidates, rating_dimension]`
ratings/biases.npy       float32 `[num_candidates]`
ratings/confidences.npy  float32 `[num_candidates]`
ratings/head.json        `mean_stars`, `spread_stars` and `layers`, a list of `kernel` with `bias`

Of a query state (`saved_model`), which ends in a vector of rating_dimension, a bias and a confidence:

predicted = query's bias + movie's bias + query's vector . movie's vector
            + MLP(query's bias, movie's bias, that dot product, movie's confidence, query's confidence)
stars     = mean_stars + spread_stars * predicted, clipped to the scale

The MLP has the layers of `head.json`: values @ kernel + bias, ReLU on all but the last, which has one output;
without layers it is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.appended_rows import AppendedRows
from service.bundle.array_files import open_array, write_array
from service.bundle.best_candidates import BestCandidates
from service.bundle.json_files import read_json, write_json
from service.bundle.manifest import Manifest
from service.errors import BundleInconsistent

Floats = NDArray[np.float32]
Stars = NDArray[np.float64]
Layers = Sequence[tuple[Floats, Floats]]
"""Kernels float32 `[n, m]` with their biases `[m]`."""

RATING_HEAD_FILE = "ratings/head.json"
RATING_ARRAYS = {name: f"ratings/{name}.npy" for name in ("vectors", "biases", "confidences")}
FILES = (*RATING_ARRAYS.values(), RATING_HEAD_FILE)

_INPUTS = 5


class RatingHead:
    """What remains of the rating task once the model has made a query's state. Made by `open`.

    Every rating is computed element by element, by no product of matrices: it is the same to the last bit
    whichever others are predicted with it.
    """

    def __init__(
        self,
        arrays: Sequence[Floats | AppendedRows],
        head: tuple[np.float32, np.float32, Layers],
        embedding_dimension: int,
        rating_scale: tuple[float, float],
    ) -> None:
        self._vectors, self._biases, self._confidences = arrays
        self._mean, self._spread, self._layers = head
        self._dimension = embedding_dimension
        self._scale = rating_scale

    @staticmethod
    def write(
        directory: Path,
        *,
        vectors: Floats,
        biases: Floats,
        confidences: Floats,
        mean_stars: float,
        spread_stars: float,
        layers: Layers = (),
    ) -> None:
        """Write the files; shapes as the module describes them.

        Raises:
            OSError: A file cannot be written.
        """
        arrays = {"vectors": vectors, "biases": biases, "confidences": confidences}
        for name, array in arrays.items():
            write_array(directory / RATING_ARRAYS[name], array, np.float32)
        as_lists = [{"kernel": kernel.tolist(), "bias": bias.tolist()} for kernel, bias in layers]
        head = {"mean_stars": mean_stars, "spread_stars": spread_stars, "layers": as_lists}
        write_json(directory / RATING_HEAD_FILE, head)

    @classmethod
    def open(cls, directory: Path, manifest: Manifest) -> RatingHead:
        """Map the arrays of a bundle and read its layers.

        Raises:
            BundleUnreadable: A file is missing or may not be read.
            BundleInconsistent: Arrays or layers of other shapes, or a manifest without a rating scale.
        """
        if manifest.rating_scale is None:
            raise BundleInconsistent(f"{directory}: expected a rating scale in the manifest; export again")
        arrays = [
            open_array(directory / RATING_ARRAYS[name], np.float32, dimensions=dimensions)
            for name, dimensions in (("vectors", 2), ("biases", 1), ("confidences", 1))
        ]
        path, candidates = directory / RATING_HEAD_FILE, manifest.index.candidates
        lengths = {len(array) for array in arrays}
        if lengths != {candidates}:
            raise BundleInconsistent(
                f"{path.parent}: expected arrays of {candidates} candidates, got {sorted(lengths)}; "
                "export again"
            )
        return cls(arrays, _read_head(path), manifest.embedding_dimension, manifest.rating_scale)

    def with_beside(self, vectors: Floats, biases: Floats, confidences: Floats) -> RatingHead:
        """The same head with further candidates, whose rows come after those of the bundle."""
        former = self._vectors, self._biases, self._confidences
        arrays = [
            AppendedRows(first, further)
            for first, further in zip(former, (vectors, biases, confidences), strict=True)
            if not isinstance(first, AppendedRows)
        ]
        head = self._mean, self._spread, self._layers
        return RatingHead(arrays, head, self._dimension, self._scale)

    @property
    def state_width(self) -> int:
        """Columns of the query states that it reads: embedding, vector, bias, confidence."""
        return self._dimension + int(self._vectors.shape[1]) + 2

    def predict(self, states: Floats, rows: Sequence[NDArray[np.int32]]) -> list[Stars]:
        """Predict by query the stars float64 `[n]` of its int32 `[n]` candidate rows, clipped.

        Args:
            states: float32 `[B, state_width]`.
            rows: B arrays of any lengths.
        """
        if not rows:
            return []
        lengths = [len(each) for each in rows]
        return np.split(self.predict_joined(states, lengths, np.concatenate(rows)), np.cumsum(lengths[:-1]))

    def predict_joined(
        self, states: Floats, lengths: Sequence[int] | NDArray[np.int64], wanted: NDArray[np.int32]
    ) -> Stars:
        """The same of rows one after another, `lengths` `[B]` of them by query, in one array."""
        of_query = np.repeat(np.arange(len(states)), lengths)
        vectors = states[of_query, self._dimension : -2]
        return self.predict_of_products(states, of_query, wanted, np.vecdot(self._vectors[wanted], vectors))

    def predict_of_products(
        self,
        states: Floats,
        of_query: NDArray[np.int64],
        wanted: NDArray[np.int32],
        products: Floats,
    ) -> Stars:
        """The same of given products of the vectors of query and candidate.

        Args:
            states: As of `predict`.
            of_query: int64 `[n]`, of which query each row is.
            wanted: int32 `[n]`, candidate rows.
            products: float32 `[n]`.
        """
        query_bias, movie_bias = states[of_query, -2], self._biases[wanted]
        predicted = query_bias + movie_bias + products
        if self._layers:
            values = (query_bias, movie_bias, products, self._confidences[wanted], states[of_query, -1])
            predicted += _apply(self._layers, np.stack(values))
        # Clipped as float64, for the float32 nearest to 4.3 lies above it.
        stars: Stars = np.clip((self._mean + self._spread * predicted).astype(np.float64), *self._scale)
        return stars

    def about_products(self, states: Floats) -> tuple[Floats, NDArray[np.float64]]:
        """Products of the vectors of all queries and candidates, and what they may change of the stars.

        Args:
            states: As of `predict`.

        Returns:
            float32 `[B, num_candidates]`, and float64 `[B]`: stars predicted of these products differ from
            those of dot products by no more.
        """
        vectors = np.ascontiguousarray(states[:, self._dimension : -2])
        nothing = np.zeros(len(states), np.int64), np.empty(0, np.int32)
        slack = self._products.slack(vectors).astype(np.float64)
        return self._products.about(vectors, *nothing), slack * self._steepness

    @cached_property
    def _products(self) -> BestCandidates:
        return BestCandidates(self._vectors)

    @cached_property
    def _steepness(self) -> float:
        """At most so many stars a unit of the product, and half as many again for what else is rounded."""
        steepness = 1.0
        if self._layers:
            of_inputs = np.abs(self._layers[0][0][2:3])
            for kernel, _ in self._layers[1:]:
                of_inputs = of_inputs @ np.abs(kernel)
            steepness += float(of_inputs.sum())
        return 1.5 * float(self._spread) * steepness


def _read_head(path: Path) -> tuple[np.float32, np.float32, Layers]:
    document: Any = read_json(path)
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


def _apply(layers: Layers, values: Floats) -> Floats:
    """float32 `[5, n]` to `[n]`."""
    for kernel, bias in layers[:-1]:
        hidden = np.repeat(bias[:, None], values.shape[1], axis=1)
        products = np.empty_like(hidden)
        for of_input, weights in zip(values, kernel, strict=True):
            hidden += np.multiply(weights[:, None], of_input, out=products)
        values = np.maximum(hidden, 0, out=hidden)
    kernel, bias = layers[-1]
    last = np.vecdot(np.ascontiguousarray(values.T), np.ascontiguousarray(kernel[:, 0]))
    corrections: Floats = last + bias[0]
    return corrections
