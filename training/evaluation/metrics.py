"""Quality measures in numpy, accumulated: memory does not grow with the number of test rows.

A movie's *rank* is the number of candidates that score strictly higher: 0 is the best. Ties count in the
movie's favour, as in TensorFlow's `in_top_k`, with which the published figures were measured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 64
_CLASSES, _BINS = 1_000, 10  # of predicted stars


def ranks(
    scores: NDArray[np.float32], targets: NDArray[np.integer], excluded: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Compute the rank of one target per query.

    Args:
        scores: float `[B, C]`.
        targets: int `[B]`, columns of `scores`.
        excluded: bool `[B, C]` or `[1, C]`, candidates that do not count (the target itself always does).

    Returns:
        int64 `[B]`, from 0 to C - 1; C where the target's score is not a number.
    """
    counts = np.empty(len(targets), np.int64)
    for start in range(0, len(targets), _ROWS_AT_ONCE):
        at = slice(start, start + _ROWS_AT_ONCE)
        # Not `scores > ...`: nothing is greater than NaN, so that such a target would rank first.
        better = ~(scores[at] <= np.take_along_axis(scores[at], targets[at, None], axis=1))
        if excluded is not None:
            better &= ~(excluded if len(excluded) == 1 else excluded[at])
        counts[at] = better.sum(axis=1)
    return counts


@dataclass
class HitRate:
    """Share of test rows whose movie ranks among the first K: hits / rows. Without rows it is NaN.

    Over all candidates this is TFRS's factorized top-K categorical accuracy; with the user's training
    movies excluded it is the hit rate (Cremonesi et al. 2010, doi 10.1145/1864708.1864721, recall@N).
    """

    k: int
    hits: int = 0
    rows: int = 0

    def update(self, of: NDArray[np.int64]) -> None:
        """Add test rows by their ranks, int64 `[n]`."""
        self.hits += int(np.count_nonzero(of < self.k))
        self.rows += len(of)

    def result(self) -> float:
        """Return the share so far."""
        return self.hits / self.rows if self.rows else float("nan")


@dataclass
class PerUser(ABC):
    """A mean over users with at least one test movie. Without such users it is NaN."""

    k: int
    total: float = 0.0
    users: int = 0

    def update(self, of: NDArray[np.int64]) -> None:
        """Add one user by the ranks of their test movies, int64 `[n]`; n = 0 is ignored."""
        if len(of):
            self.total += self.value(of)
            self.users += 1

    @abstractmethod
    def value(self, of: NDArray[np.int64]) -> float:
        """Compute the measure for one user."""

    def result(self) -> float:
        """Return the mean so far."""
        return self.total / self.users if self.users else float("nan")


class Recall(PerUser):
    """Share of a user's test movies among the first K: |test in first K| / |test|.

    Herlocker et al. 2004 (doi 10.1145/963770.963772, section 4.1.2).
    """

    def value(self, of: NDArray[np.int64]) -> float:
        """Compute recall@K for one user."""
        return float(np.mean(of < self.k))


class NormalizedDCG(PerUser):
    """DCG / ideal DCG at K with binary relevance (Jarvelin and Kekalainen 2002, doi 10.1145/582415.582418).

    DCG = sum over test movies ranked r < K of 1 / log2(r + 2); the ideal has the min(n, K) best ranks.
    """

    def value(self, of: NDArray[np.int64]) -> float:
        """Compute NDCG@K for one user."""
        gains = 1 / np.log2(of[of < self.k] + 2)
        ideal = 1 / np.log2(np.arange(min(len(of), self.k)) + 2)
        return float(gains.sum() / ideal.sum())


@dataclass
class RootMeanSquaredError:
    """sqrt(mean((predicted - true)^2)) in stars. Without rows it is NaN."""

    squares: float = 0.0
    rows: int = 0

    def update(self, predicted: NDArray[np.floating], true: NDArray[np.floating]) -> None:
        """Add rows, both float `[n]` stars."""
        self.squares += float(np.sum((predicted.astype(np.float64) - true) ** 2))
        self.rows += len(true)

    def result(self) -> float:
        """Return the error so far."""
        return float(np.sqrt(self.squares / self.rows)) if self.rows else float("nan")


class Calibration:
    """Mean given stars by predicted stars.

    Rows are counted in 1,000 equally wide classes of predicted stars; neighbouring classes are joined to ten
    bins of about equally many rows, or fewer where predictions are few or equal.

    Args:
        scale: The smallest and the largest stars; predictions outside count at its ends.
    """

    def __init__(self, scale: tuple[float, float]) -> None:
        self._edges = np.linspace(*scale, _CLASSES + 1)[1:-1]
        # By class: rows, the sum of predicted stars, the sum of true stars.
        self._sums = np.zeros((3, _CLASSES))

    def update(self, predicted: NDArray[np.floating], true: NDArray[np.floating]) -> None:
        """Add rows, both float `[n]` stars."""
        classes = np.searchsorted(self._edges, predicted, side="right")
        for at, weights in enumerate((None, predicted, true)):
            self._sums[at] += np.bincount(classes, weights, _CLASSES)

    def result(self) -> list[dict[str, float]]:
        """Return the bins by ascending predicted stars: means `predicted` and `true`, number of `rows`."""
        rows = self._sums[0]
        # A class belongs to the bin of its middle row.
        middles = np.cumsum(rows) - rows / 2
        bins = np.minimum(_BINS * middles / max(1, rows.sum()), _BINS - 1).astype(np.int64)
        counts, predicted, true = (np.bincount(bins, sums, _BINS) for sums in self._sums)
        return [
            {
                "predicted": float(predicted[at] / counts[at]),
                "true": float(true[at] / counts[at]),
                "rows": int(counts[at]),
            }
            for at in np.flatnonzero(counts)
        ]


@dataclass
class RetrievalMetrics:
    """The measures of docs/evaluation.md with one query per user, updated by one user at a time."""

    hit_rates: list[HitRate] = field(default_factory=lambda: [HitRate(10), HitRate(50), HitRate(100)])
    accuracy: HitRate = field(default_factory=lambda: HitRate(100))
    ndcg: NormalizedDCG = field(default_factory=lambda: NormalizedDCG(10))
    recall: Recall = field(default_factory=lambda: Recall(20))

    def update(self, unseen: NDArray[np.int64], among_all: NDArray[np.int64]) -> None:
        """Add one user: ranks with the seen movies excluded, and among all candidates; int64 `[n]`."""
        for hit_rate in self.hit_rates:
            hit_rate.update(unseen)
        self.accuracy.update(among_all)
        self.ndcg.update(unseen)
        self.recall.update(unseen)

    def results(self) -> dict[str, float]:
        """Return all measures by name."""
        return {
            **{f"hit_rate_at_{one.k}": one.result() for one in self.hit_rates},
            f"ndcg_at_{self.ndcg.k}": self.ndcg.result(),
            f"recall_at_{self.recall.k}": self.recall.result(),
            f"top_{self.accuracy.k}_accuracy": self.accuracy.result(),
        }
