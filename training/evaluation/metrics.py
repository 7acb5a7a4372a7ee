"""Quality measures in numpy. All accumulate: memory does not grow with the number of test rows.

A movie's *rank* is the number of candidates that score strictly higher: 0 is the best. Ties count in the
movie's favour, as TensorFlow's `in_top_k` has it, which the published figures were measured with.
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
    """Ranks of one target per query.

    Args:
        scores: float `[B, C]`.
        targets: int `[B]`, columns of `scores`.
        excluded: bool `[B, C]` or `[1, C]`, candidates that do not compete (the target itself always does).

    Returns:
        int64 `[B]`, from 0 to C - 1; C where the target's score is not a number.
    """
    counts = np.empty(len(targets), np.int64)
    for start in range(0, len(targets), _ROWS_AT_ONCE):
        at = slice(start, start + _ROWS_AT_ONCE)
        # Not `scores > ...`: beside a score that is no number nothing would be better: it would rank first.
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
        """Adds test rows by their ranks, int64 `[n]`."""
        self.hits += int(np.count_nonzero(of < self.k))
        self.rows += len(of)

    def result(self) -> float:
        """The share so far."""
        return self.hits / self.rows if self.rows else float("nan")


@dataclass
class PerUser(ABC):
    """A mean over users with at least one test movie. Without such users it is NaN."""

    k: int
    total: float = 0.0
    users: int = 0

    def update(self, of: NDArray[np.int64]) -> None:
        """Adds one user by the ranks of their test movies, int64 `[n]`; n = 0 is no user."""
        if len(of):
            self.total += self.value(of)
            self.users += 1

    @abstractmethod
    def value(self, of: NDArray[np.int64]) -> float:
        """The measure for one user."""

    def result(self) -> float:
        """The mean so far."""
        return self.total / self.users if self.users else float("nan")


class Recall(PerUser):
    """Share of a user's test movies among the first K: |test in first K| / |test|.

    Herlocker et al. 2004 (doi 10.1145/963770.963772, section 4.1.2).
    """

    def value(self, of: NDArray[np.int64]) -> float:
        """Recall@K for one user."""
        return float(np.mean(of < self.k))


class NormalizedDCG(PerUser):
    """DCG / ideal DCG at K with binary relevance (Jarvelin and Kekalainen 2002, doi 10.1145/582415.582418).

    DCG = sum over test movies ranked r < K of 1 / log2(r + 2); the ideal has the min(n, K) best ranks.
    """

    def value(self, of: NDArray[np.int64]) -> float:
        """NDCG@K for one user."""
        gains = 1 / np.log2(of[of < self.k] + 2)
        ideal = 1 / np.log2(np.arange(min(len(of), self.k)) + 2)
        return float(gains.sum() / ideal.sum())


@dataclass
class RootMeanSquaredError:
    """sqrt(mean((predicted - true)^2)) in stars. Without rows it is NaN."""

    squares: float = 0.0
    rows: int = 0

    def update(self, predicted: NDArray[np.floating], true: NDArray[np.floating]) -> None:
        """Adds rows, both float `[n]` stars."""
        self.squares += float(np.sum((predicted.astype(np.float64) - true) ** 2))
        self.rows += len(true)

    def result(self) -> float:
        """The error so far."""
        return float(np.sqrt(self.squares / self.rows)) if self.rows else float("nan")


class Calibration:
    """What people gave where so many stars were predicted.

    Rows are counted in narrow classes of predicted stars, equally wide; ten bins of about as many rows each
    are made of neighbouring classes. Of few or equal predictions there are fewer.

    Args:
        scale: The fewest and the most stars; predictions outside count at its ends.
    """

    def __init__(self, scale: tuple[float, float]) -> None:
        self._edges = np.linspace(*scale, _CLASSES + 1)[1:-1]
        # By class: rows, the sum of predicted stars, the sum of true stars.
        self._sums = np.zeros((3, _CLASSES))

    def update(self, predicted: NDArray[np.floating], true: NDArray[np.floating]) -> None:
        """Adds rows, both float `[n]` stars."""
        classes = np.searchsorted(self._edges, predicted, side="right")
        for at, weights in enumerate((None, predicted, true)):
            self._sums[at] += np.bincount(classes, weights, _CLASSES)

    def result(self) -> list[dict[str, float]]:
        """The bins by predicted stars ascending: means `predicted` and `true`, and how many `rows`."""
        rows = self._sums[0]
        # A class belongs to the bin that its middle row falls into.
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
    """The measures of docs/evaluation.md that need one query per user, test movies of one user at a time."""

    hit_rates: list[HitRate] = field(default_factory=lambda: [HitRate(10), HitRate(50), HitRate(100)])
    accuracy: HitRate = field(default_factory=lambda: HitRate(100))
    ndcg: NormalizedDCG = field(default_factory=lambda: NormalizedDCG(10))
    recall: Recall = field(default_factory=lambda: Recall(20))

    def update(self, unseen: NDArray[np.int64], among_all: NDArray[np.int64]) -> None:
        """Adds one user: ranks with the seen movies excluded, and among all candidates; int64 `[n]`."""
        for hit_rate in self.hit_rates:
            hit_rate.update(unseen)
        self.accuracy.update(among_all)
        self.ndcg.update(unseen)
        self.recall.update(unseen)

    def results(self) -> dict[str, float]:
        """All measures by name."""
        return {
            **{f"hit_rate_at_{one.k}": one.result() for one in self.hit_rates},
            f"ndcg_at_{self.ndcg.k}": self.ndcg.result(),
            f"recall_at_{self.recall.k}": self.recall.result(),
            f"top_{self.accuracy.k}_accuracy": self.accuracy.result(),
        }
