"""Quality measures in numpy, of the places that a scorer gives to held-out movies.

Ties carry no information: a movie that t candidates tie, itself among them, counts as in a random order of
these t, that is by the expectation over its t possible places. So neither NDCG nor any share passes 1, and a
scorer that scores everything alike measures as one that guesses. The published figures of the TFRS tutorials
come from TensorFlow's `in_top_k`, which places a tied movie first; of real-valued scores, which hardly ever
tie, both definitions give the same figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 32
_FEW_VALUES = 8  # sorting the scores takes longer than comparing them with so few
_CLASSES, _BINS = 1_000, 10  # of predicted stars


@dataclass(frozen=True, eq=False)
class Ranks:
    """Places of n movies: one of `better`, ..., `better + tied - 1`, all equally likely.

    Attributes:
        better: int64 `[n]`, candidates that score strictly higher: 0 is the best.
        tied: int64 `[n]`, candidates of the same score, the movie itself among them: at least 1.
    """

    better: NDArray[np.int64]
    tied: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.better)


def ranks(
    scores: NDArray[np.float32], targets: NDArray[np.integer], excluded: NDArray[np.bool_] | None = None
) -> Ranks:
    """Rank one target per query.

    Scores that are not a number are the lowest; a target that has one is behind every candidate.

    Args:
        scores: float `[B, C]`.
        targets: int `[B]`, columns of `scores`.
        excluded: bool `[B, C]`, candidates that do not count (the target itself always does).
    """
    better, tied = np.empty(len(targets), np.int64), np.empty(len(targets), np.int64)
    for start in range(0, len(targets), _ROWS_AT_ONCE):
        at = slice(start, start + _ROWS_AT_ONCE)
        own = np.take_along_axis(scores[at], targets[at, None], axis=1)
        # Nothing is greater than NaN, so that such a target would rank first.
        higher, equal = (scores[at] > own) | np.isnan(own), scores[at] == own
        if excluded is not None:
            higher &= ~excluded[at]
            equal &= ~excluded[at]
        np.put_along_axis(equal, targets[at, None], values=True, axis=1)
        better[at], tied[at] = higher.sum(axis=1), equal.sum(axis=1)
    return Ranks(better, tied)


def ranks_of_user(
    scores: NDArray[np.float32], targets: NDArray[np.integer], seen: NDArray[np.integer]
) -> tuple[Ranks, Ranks]:
    """Rank several targets of one query at once, as `ranks` would.

    Args:
        scores: float `[C]`.
        targets: int `[n]`, positions in `scores`.
        seen: int `[S]`, candidates to exclude, no target among them.

    Returns:
        The ranks without the seen candidates, and those among all.
    """
    own = scores[targets]
    higher, equal = _compare(scores, own)
    seen_higher, seen_equal = _compare(scores[seen], own)
    is_nan = np.isnan(own)
    higher[is_nan], seen_higher[is_nan] = len(scores), len(seen)
    equal[is_nan] = 1
    return Ranks(higher - seen_higher, np.maximum(equal - seen_equal, 1)), Ranks(higher, equal)


def _compare(
    scores: NDArray[np.float32], values: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many scores are higher than each value, and how many equal."""
    if len(values) <= _FEW_VALUES:
        higher = [np.count_nonzero(scores > value) for value in values]
        equal = [np.count_nonzero(scores == value) for value in values]
        return np.array(higher, np.int64), np.array(equal, np.int64)
    ascending = np.sort(scores)  # NaN comes last
    numbers = np.searchsorted(ascending, np.float32(np.nan))
    not_higher = np.searchsorted(ascending, values, side="right")
    lower = np.searchsorted(ascending, values)
    return (numbers - not_higher).astype(np.int64), (not_higher - lower).astype(np.int64)


def expected_hits(of: Ranks, k: int) -> NDArray[np.float64]:
    """Probability of each movie to be among the first K, float64 `[n]`."""
    hits: NDArray[np.float64] = np.clip(k - of.better, 0, of.tied) / of.tied
    return hits


def recall_parts(of: Ranks, k: int, num_wanted: NDArray[np.integer]) -> NDArray[np.float64]:
    """What each test movie adds to its user's recall@K, float64 `[n]`.

    Recall is the share of a user's test movies among the first K: |test in first K| / |test| (Herlocker et
    al. 2004, doi 10.1145/963770.963772, section 4.1.2).

    Args:
        of: Test movies of any users.
        k: Length of the list.
        num_wanted: int `[n]`, the number of test movies of each one's user.
    """
    return expected_hits(of, k) / num_wanted


def ndcg_parts(of: Ranks, k: int, num_wanted: NDArray[np.integer]) -> NDArray[np.float64]:
    """What each test movie adds to its user's NDCG@K, float64 `[n]`; arguments as of `recall_parts`.

    NDCG is DCG / ideal DCG with binary relevance (Jarvelin and Kekalainen 2002, doi 10.1145/582415.582418).
    DCG is the sum over test movies at places p < K, from 0, of 1 / log2(p + 2); the ideal has the min(n, K)
    best places.
    """
    gains_before = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(k) + 2))])
    first, end = np.minimum(of.better, k), np.minimum(of.better + of.tied, k)
    gains = (gains_before[end] - gains_before[first]) / of.tied
    parts: NDArray[np.float64] = gains / gains_before[np.minimum(num_wanted, k)]
    return parts


@dataclass
class HitRate:
    """Share of test rows whose movie ranks among the first K: hits / rows. Without rows it is NaN.

    Over all candidates this is TFRS's factorized top-K categorical accuracy; with the user's training
    movies excluded it is the hit rate (Cremonesi et al. 2010, doi 10.1145/1864708.1864721, recall@N).
    """

    k: int
    hits: float = 0.0
    rows: int = 0

    def update(self, of: Ranks) -> None:
        """Add test rows."""
        self.hits += float(expected_hits(of, self.k).sum())
        self.rows += len(of)

    def result(self) -> float:
        """Return the share so far."""
        return self.hits / self.rows if self.rows else float("nan")


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
        """Add rows, both float `[n]` stars; those without true stars, NaN, do not count."""
        rated = ~np.isnan(true)
        predicted, true = predicted[rated], true[rated]
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
