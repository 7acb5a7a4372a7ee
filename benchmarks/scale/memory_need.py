"""Estimated and measured memory of `fit`, with ratings in memory and mapped from files.

    python -m benchmarks.scale.memory_need --page docs/scale.md

`fit --evaluate none --epochs 1` of synthetic ratings, without `--memory` and with the least that it accepts.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from benchmarks.scale.measured_fit import measure_fit
from benchmarks.scale.measured_table import Size, measure_sizes
from training.config import TrainingConfig
from training.data.memory_limit import MemoryNeed

_MIB = 2**20
SIZES = {
    "200k": Size(200_000, 4_000, 3_000),
    "2m": Size(2_000_000, 20_000, 3_000),
    "25m": Size(25_000_000, 162_000, 60_000),
}
_READING_MIB = {"25m": 3_600}  # where reading alone takes more than what follows

_HEADINGS = ("ratings", "users", "movies", "in memory, MiB", "measured", "mapped, MiB", "measured")


def main() -> None:
    """Measure, print and write the table."""
    measure_sizes(__doc__, "benchmarks.scale.memory_need", _HEADINGS, SIZES, _row)


def _row(name: str, data: Path) -> list[str]:
    ratings, users, movies = SIZES[name]
    need = MemoryNeed.of(ratings, users, movies, TrainingConfig())
    least_mib = max(math.ceil(need.mapped / _MIB), _READING_MIB.get(name, 0))
    row = [f"{count:,}" for count in SIZES[name]]
    for estimated, options in (
        (need.in_memory, ()),
        (need.mapped, ("--memory", f"{least_mib}MiB")),
    ):
        # The artifacts, which the mapped files are in, must be on a disk.
        with tempfile.TemporaryDirectory(dir=data) as artifacts:
            fit = measure_fit(data, Path(artifacts), ("--epochs", "1", *options))
        row += [f"{estimated / _MIB:,.0f}", f"{fit.peak_anonymous_bytes / _MIB:,.0f}"]
    return row


if __name__ == "__main__":
    main()
