"""Estimated and measured memory of `fit`, with ratings in memory and mapped from files.

    python -m benchmarks.scale.memory_need --page docs/scale.md

`fit --evaluate none --epochs 1` of synthetic ratings, without `--memory` and with the least that it accepts.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

from benchmarks.machine import describe_machine, format_machine
from benchmarks.page import markdown_table, replace_between
from benchmarks.scale.measured_fit import measure_fit
from benchmarks.scale.synthetic_ratings import write_ratings
from training.config import TrainingConfig
from training.data.memory_limit import MemoryNeed

_MIB = 2**20
SIZES = {
    "200k": (200_000, 4_000, 3_000),
    "2m": (2_000_000, 20_000, 3_000),
    "25m": (25_000_000, 162_000, 60_000),
}
"""Ratings, users, movies."""
_READING_MIB = {"25m": 3_600}  # where reading alone takes more than what follows

_HEADINGS = ("ratings", "users", "movies", "in memory, MiB", "measured", "mapped, MiB", "measured")


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "matinee-scale")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args()
    rows = []
    for name in arguments.only:
        rows.append(_row(name, arguments.data / name))
        sys.stdout.write(f"{name}: {' | '.join(rows[-1])}\n")
    machine = format_machine(describe_machine(("tensorflow-cpu", "numpy")))
    text = f"{machine}\n\n{markdown_table(_HEADINGS, rows)}\n"
    sys.stdout.write(f"\n{text}")
    if arguments.page:
        replace_between(arguments.page, "benchmarks.scale.memory_need", text)


def _row(name: str, data: Path) -> list[str]:
    ratings, users, movies = SIZES[name]
    if not (data / "ratings.csv").exists():
        write_ratings(data, ratings=ratings, users=users, movies=movies)
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
