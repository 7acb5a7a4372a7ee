"""Measure the model with its default settings on every data set of a directory, beside all baselines.

    python -m benchmarks.public_data DIRECTORY             # once: fetches the sets
    python -m benchmarks.any_data DIRECTORY [NAME ...] --page docs/quality_any_data.md

Each set is measured by one command in a process of its own, `matinee evaluate` with the set's
options to read it and none to train it. What it measured is kept as JSON in `--results`, so a run that was
interrupted goes on where it was and tries again what failed; `--again` measures what is kept too. iALS and
SVD are among the baselines where `make install-baselines` has run. 100K is measured too: its training time is
the unit.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.any_data_table import REFERENCE, quality_table
from benchmarks.page import replace_between
from benchmarks.public_data.table import PUBLIC_SETS
from training.errors import ConfigurationError
from training.evaluation.baselines.environment import find_environment

MARK = "benchmarks.any_data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line names, print the table, write it; return 1 if any set failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.any_data", description="Quality on any data.")
    parser.add_argument("directory", type=Path, help="of the sets, as benchmarks.public_data fetches them")
    parser.add_argument("names", nargs="*", metavar="NAME", help="sets to measure; all that are there")
    parser.add_argument("--results", type=Path, default=Path("any-data"), help="where results are kept")
    parser.add_argument("--again", action="store_true", help="measure also what is kept")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--timeout-seconds", type=float, default=7_200, help="of one set")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    given = parser.parse_intermixed_args(arguments)
    unknown = [name for name in given.names if name not in {REFERENCE, *PUBLIC_SETS}]
    if unknown:
        parser.error(
            f"no set is named {', '.join(unknown)}; there are {', '.join((REFERENCE, *PUBLIC_SETS))}"
        )
    there = [name for name in PUBLIC_SETS if (given.directory / PUBLIC_SETS[name].data).exists()]
    given.results.mkdir(parents=True, exist_ok=True)
    for name in given.names or [REFERENCE, *there]:
        path = given.results / f"{name}.json"
        if given.again or not _is_measured(path):
            sys.stderr.write(f"{name} ...\n")
            result = measure(options_for(name, given.directory), given.seeds, given.timeout_seconds)
            beside = path.with_suffix(".new")
            beside.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
            beside.replace(path)
            sys.stderr.write(f"{name}: {result['error'] or 'measured'}, {result['seconds']} s\n")
    results = {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name in (REFERENCE, *PUBLIC_SETS)
        if (path := given.results / f"{name}.json").exists()
    }
    text = quality_table(results)
    sys.stdout.write(f"{text}\n")
    if given.page:
        replace_between(given.page, MARK, text)
    return int(any(results[name]["error"] for name in given.names or results))


def options_for(name: str, directory: Path) -> list[str]:
    """Return the options to read a set."""
    if name == REFERENCE:
        return ["--data", "auto", "--dataset", "100k"]
    public = PUBLIC_SETS[name]
    return ["--data", str(directory / public.data), *shlex.split(public.options)]


def measure(options: Sequence[str], seeds: int, timeout_seconds: float) -> dict[str, Any]:
    """Measure one set.

    Returns:
        JSON: `metrics`, what `evaluate` keeps (null if it failed), `error` (its last line, or null) and
        `seconds` by the clock.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="matinee-any-data-") as artifacts:
        command = [sys.executable, "-m", "training", "evaluate", *options, "--split", "auto", "--no-extras"]
        command += ["--seeds", str(seeds), "--artifacts", artifacts, *_specialists()]
        try:
            ended = subprocess.run(  # noqa: S603 our own command
                command, capture_output=True, text=True, check=False, timeout=timeout_seconds
            )
            error = None if ended.returncode == 0 else _last_line(ended.stderr)
        except subprocess.TimeoutExpired:
            error = f"not done after {timeout_seconds:.0f} s"
        kept = list((Path(artifacts) / "evaluation").glob("*.json"))
        metrics = json.loads(kept[0].read_text(encoding="utf-8")) if error is None else None
    return {"metrics": metrics, "error": error, "seconds": round(time.perf_counter() - started, 1)}


def _is_measured(path: Path) -> bool:
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["error"] is None


def _specialists() -> list[str]:
    try:
        find_environment()
    except ConfigurationError as error:
        sys.stderr.write(f"without iALS and SVD: {error}\n")
        return []
    return ["--baselines"]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1].removeprefix("error: ")


if __name__ == "__main__":
    sys.exit(main())
