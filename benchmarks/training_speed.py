"""Training throughput of the [64, 32] deep retrieval model here and in TFRS 0.7.7, in rows per second.

`python -m benchmarks.training_speed` creates an environment for TFRS in a cache directory on its first run
(about 2 GB), then trains both in subprocesses, in turns, several times. The first epochs of a process, which
compile and fill caches, do not count. Compare only ratios of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_HERE = Path(__file__).parent
_WARM_UP_EPOCHS = 2
_OURS, _TUTORIAL, _CACHED = "Matinee", "TFRS 0.7.7, as in the tutorial", "TFRS 0.7.7, batches cached"

console = Console(highlight=False)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5, help="processes of each side")
    parser.add_argument(
        "--epochs", type=int, default=10, help="epochs of each process, the first two not timed"
    )
    options = parser.parse_args()
    if options.repeats < 1 or options.epochs <= _WARM_UP_EPOCHS:
        parser.error(f"expected at least 1 repeat and {_WARM_UP_EPOCHS + 1} epochs")
    from benchmarks.tfrs_environment import tfrs_python  # noqa: PLC0415  # takes seconds, not for --help

    tfrs = tfrs_python()
    with tempfile.TemporaryDirectory() as directory:
        rows = Path(directory) / "rows.npz"
        num_rows = _write_rows(rows)
        theirs = [str(tfrs), str(_HERE / "deep_retrieval_tfrs.py"), str(rows), str(options.epochs)]
        commands = {
            _OURS: [sys.executable, "-m", "benchmarks.deep_retrieval_matinee", str(options.epochs)],
            _TUTORIAL: [*theirs, "tutorial"],
            _CACHED: [*theirs, "cached"],
        }
        speeds: dict[str, list[float]] = {name: [] for name in commands}
        for repeat in range(options.repeats):
            for name, command in commands.items():
                speeds[name].append(num_rows / _epoch_seconds(command))
                console.print(f"{repeat + 1}/{options.repeats}  {name}: {speeds[name][-1]:,.0f} rows/s")
    _show(speeds)


def _write_rows(file: Path) -> int:
    """Write what TFRS reads; return the number of training rows."""
    from benchmarks.tfrs_environment import write_rows  # noqa: PLC0415  # takes seconds, not for --help
    from training.data.sources import load_ratings  # noqa: PLC0415  # as above
    from training.data.splits import random_split  # noqa: PLC0415  # as above

    table = load_ratings()
    write_rows(file, table)
    return len(random_split(table).train)


def _epoch_seconds(command: list[str]) -> float:
    """Train in a subprocess; return its median epoch time."""
    ended = subprocess.run(  # noqa: S603  # our own
        command,
        cwd=_HERE.parent,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stderr}")
    seconds = json.loads(ended.stdout.splitlines()[-1])
    return float(np.median(seconds[_WARM_UP_EPOCHS:]))


def _show(speeds: dict[str, list[float]]) -> None:
    """Print medians over processes, and ratios between consecutive ones."""
    table = Table(box=SIMPLE_HEAD)
    for position, name in enumerate(("", "rows/s", "lowest to highest", "Matinee is faster by")):
        table.add_column(name, justify="right" if position else "left")
    for name, values in speeds.items():
        ratios = np.array(speeds[_OURS]) / values
        ratio = f"{np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f})"
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        table.add_row(name, f"{np.median(values):,.0f}", spread, "" if name == _OURS else ratio)
    console.print(table)


if __name__ == "__main__":
    main()
