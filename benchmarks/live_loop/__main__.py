"""`python -m benchmarks.live_loop`: measures the live loop, and prints each figure beside what it must be."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.live_loop.bars import NAMES, Bars
from benchmarks.postgres_server import postgres_programs, running_postgres


def main() -> None:
    """Measure what is named, by default everything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_loop", description=__doc__)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    stores = parser.add_mutually_exclusive_group()
    stores.add_argument(
        "--store", help="an empty database of PostgreSQL, postgresql://...; a file of SQLite if not given"
    )
    stores.add_argument(
        "--postgres",
        action="store_true",
        help="a PostgreSQL of its own (Debian's package), that is killed too",
    )
    parser.add_argument("--only", nargs="*", choices=NAMES)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database-kills", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1_000_000, help="live rows for the last row of the table")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each run")
    arguments = parser.parse_args()
    wanted = arguments.only or NAMES
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="live-loop-")))
        directory.chmod(0o755)  # PostgreSQL is not root's
        database = None
        if arguments.postgres:
            programs = postgres_programs()
            if programs is None:
                parser.error("--postgres: expected the programs of PostgreSQL, found none: install it")
            (directory / "postgres").mkdir()
            database = stack.enter_context(running_postgres(programs, directory / "postgres"))
        bars = Bars(arguments, directory, database)
        for name in wanted:
            for line in bars.measure(name):
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
