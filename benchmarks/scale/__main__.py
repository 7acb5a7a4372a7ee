"""Time and memory of `fit` on synthetic ratings, a million to 25 millions of them.

    python -m benchmarks.scale --page docs/scale.md

The ratings are made once and kept in --data, 0.7 GB. A run is `fit --evaluate none` as a user would type it:
load, choose the length of the training by held-out ratings, train on all, export, verify.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.scale.measured_fit import MeasuredFit, measure_fit
from benchmarks.scale.measured_table import Size, measure_sizes

_GIB = 2**30
_LOAD, _CHOOSE, _TRAIN, _EXPORT = (
    "Load ratings",
    "Choose the training length",
    "Train on every rating",
    "Export",
)


SIZES = {
    "1m": Size(1_000_000, 6_500, 4_000),
    "5m": Size(5_000_000, 32_500, 20_000),
    "25m": Size(25_000_000, 162_000, 60_000),
    "million-movies": Size(5_000_000, 32_500, 1_000_000),
}


_HEADINGS = (
    "ratings",
    "users",
    "movies",
    "load, s",
    "choose, s",
    "train, s",
    "export, s",
    "whole, s",
    "processor s per million",
    "peak GiB",
    "GiB per million",
    "held-out hit rate@100 by epoch, of each training:",
)


def main() -> None:
    """Measure, print and write the table."""
    measure_sizes(__doc__, "benchmarks.scale", _HEADINGS, SIZES, _measure)


def _measure(name: str, data: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as artifacts:
        return _row(SIZES[name], measure_fit(data, Path(artifacts)))


def _row(size: Size, fit: MeasuredFit) -> list[str]:
    stages = [f"{fit.stages[name]:.0f}" for name in (_LOAD, _CHOOSE, _TRAIN, _EXPORT)]
    millions, gib = size.ratings / 1e6, fit.peak_bytes / _GIB
    best = max(rate for rates in fit.hit_rates for rate in rates.values())
    return [
        *(f"{count:,}" for count in size),
        *stages,
        f"{fit.seconds:.0f}",
        f"{fit.processor_seconds / millions:.1f}",
        f"{gib:.2f}",
        f"{gib / millions:.2f}",
        "; ".join(
            ", ".join(_rate(epoch, each, best) for epoch, each in rates.items()) for rates in fit.hit_rates
        ),
    ]


def _rate(epoch: int, rate: float, best: float) -> str:
    return f"{epoch}: **{rate:.3f}**" if rate == best else f"{epoch}: {rate:.3f}"


if __name__ == "__main__":
    main()
