"""Item factors to begin with: the leading part of a linear autoencoder of all histories."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import svds

from training.model.histories import Histories
from training.model.watch_weights import watch_weights

REGULARIZATION = 300.0
"""EASE's lambda, chosen on MovieLens 100K; 30 was worse on MovieTweetings 100K and on Last.fm 2K as well."""


@dataclass(frozen=True, eq=False)
class WatchedSpectrum:
    """Leading singular triples of the matrix of who watched what, which may be normalized.

    Attributes:
        squares: float64 `[k]`, squared singular values.
        vectors: float32 `[k, num_candidates]`, right singular vectors.
        order: Those that count, the largest first; rows of a million movies are not copied to be sorted.
        scales: float64 `[num_candidates]`, what each movie's column was divided by.
        columns: Columns of factors, at least `k`.
        is_normalized: Whether anything was divided.
    """

    squares: NDArray[np.float64]
    vectors: NDArray[np.float32]
    order: NDArray[np.intp]
    scales: NDArray[np.float64]
    columns: int
    is_normalized: bool

    @classmethod
    def of(
        cls,
        histories: Histories,
        columns: int,
        *,
        history_normalization: float = 0.0,
        movie_normalization: float = 0.0,
        rating_emphasis: float = 0.0,
    ) -> WatchedSpectrum:
        """Compute it.

        The leading triples of sparse data with many movies describe its few long histories, unless each
        history and each movie is divided by a power of its length or count, as filters of the graph of users
        and items do with exponents of 1/2 (Shen et al. 2021, arXiv:2108.07567).

        Args:
            histories: Who watched what.
            columns: Of the factors.
            history_normalization: Exponent of a history's length, by which it is divided.
            movie_normalization: Exponent of a movie's count, by which it is divided.
            rating_emphasis: How much more watches count that are rated higher, see `watch_weights`.
        """
        shape = len(histories), histories.num_candidates
        lengths = np.diff(histories.offsets)
        scales = np.maximum(1.0, histories.movie_counts) ** movie_normalization
        weights = watch_weights(histories, rating_emphasis)
        is_normalized = bool(history_normalization or movie_normalization)
        if is_normalized:
            of_histories = np.repeat(np.maximum(1.0, lengths) ** -history_normalization, lengths)
            of_histories /= scales[histories.movie_rows]
            np.multiply(weights, of_histories, out=weights, casting="same_kind")
        found = max(0, min(columns, min(shape) - 1))
        singular, vectors = np.zeros(0), np.zeros((0, shape[1]), np.float32)
        if found:
            matrix = csr_matrix((weights, histories.movie_rows, histories.offsets), shape)
            _, singular, vectors = svds(matrix, k=found, rng=np.random.default_rng(0))
        squares = np.square(singular, dtype=np.float64)
        return cls(squares, vectors, np.argsort(-squares), scales, columns, is_normalized)

    def leading(self, columns: int) -> WatchedSpectrum:
        """The part that fewer columns would have."""
        return replace(self, order=self.order[:columns], columns=columns)

    def factors(self, regularization: float = 1.0) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Factorize EASE's matrix (Steck 2019, arXiv:1905.03375) without ever computing it.

        With the singular triples (s, v), (X'X + lambda I)^-1 is (I - V diag(s^2 / (s^2 + lambda)) V') /
        lambda but for what the triples leave out. So off its diagonal EASE's matrix is V W (V' / (1 - h)),
        where W is diag(s^2 / (s^2 + lambda)) and h the diagonal of V W V'.

        Args:
            regularization: EASE's lambda as a multiple of `REGULARIZATION`, or of the median of s^2 where the
                matrix is normalized.

        Returns:
            Factors of movies that are read and of movies that are predicted, both float32
            `[num_candidates, columns]`: their products are EASE's weights, or what stands for these in the
            normalized form, of about their size. Columns beyond the matrix's rank are 0.
        """
        read, predicted = np.zeros((2, len(self.scales), self.columns), np.float32)
        found = len(self.order)
        if not found:
            return read, predicted
        squares = self.squares[self.order]
        unit = np.median(squares) if self.is_normalized else REGULARIZATION
        shrunk = squares / (squares + regularization * unit)
        leverage = np.zeros(len(self.scales))
        # Column by column, for several copies of a million movies in float64 are gigabytes.
        for column, (share, of) in enumerate(zip(shrunk, self.order.tolist(), strict=True)):
            vector = self.vectors[of].astype(np.float64)
            # The sign of a singular vector is arbitrary, and so would be the model that begins with it.
            vector *= np.sign(vector[np.abs(vector).argmax()])
            leverage += share * vector**2
            predicted[:, column] = vector * np.sqrt(share)
        read[:, :found] = predicted[:, :found] / self.scales[:, None]
        predicted[:, :found] *= (self.scales / (1 - leverage))[:, None]
        return read, predicted
