"""Build time, memory, recall and latency of each index, by catalogue size.

    python -m benchmarks.catalogue_size --bundle artifacts/BUNDLE_ID --page docs/performance.md

Makes catalogues of 10,000, 100,000 and 1 million candidates and as many users (of a larger one a million),
with embeddings distributed as those of the given bundle; builds Annoy, usearch and faiss, each in a process
with a time limit, and queries them, and a scan of every candidate, one query at a time and in batches.
Results are kept in `--work`, so that a part can be measured again: the table contains everything there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import index_trial
from benchmarks.machine import describe_machine, format_machine
from benchmarks.page import markdown_table, replace_between
from benchmarks.synthetic_catalogue import real_embeddings, sample_like, write_candidates_like, write_users
from service.bundle import histories

SIZES = (10_000, 100_000, 1_000_000)
BACKENDS = ("annoy", "usearch", "faiss", "exact")
_OPTIONAL = {"usearch": "usearch", "faiss": "faiss-cpu"}
_MOST_USERS = 1_000_000
_RESULTS = "results.json"


def main() -> None:
    """Measure, print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description="Build time, memory, recall and latency of each index.")
    parser.add_argument("--bundle", type=Path, required=True, help="bundle whose embeddings are imitated")
    parser.add_argument(
        "--work", type=Path, default=Path("catalogue-size"), help="directory of catalogues and results"
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--backends", nargs="*", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--recall", type=float, default=0.95, help="recall@10 up to which search_k is raised")
    parser.add_argument("--build-seconds", type=float, default=900, help="time limit of a build")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of usearch's and faiss's builds")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    parser.add_argument("--mark", default="catalogue size", help="mark of the table on the page")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    real = real_embeddings(arguments.bundle)
    for size in arguments.sizes:
        _measure_size(size, real, arguments)
    table = _table(arguments)
    sys.stdout.write(f"{table}\n")
    if arguments.page is not None:
        replace_between(arguments.page, arguments.mark, table)


def _measure_size(size: int, real: tuple[Any, Any], arguments: argparse.Namespace) -> None:
    directory = arguments.work / str(size)
    directory.mkdir(exist_ok=True)
    candidates = write_candidates_like(directory, real[0], size, seed=0)
    users = min(size, _MOST_USERS)
    queries = sample_like(real[1], users, seed=1)[: arguments.queries]
    seen = write_users(directory, users, size, seed=2)[: arguments.queries]
    trial_queries = index_trial.Queries.of(candidates, queries, seen)
    users_mib = sum((directory / name).stat().st_size for name in histories.FILES) / 2**20
    for backend in arguments.backends:
        measured: dict[str, Any] = {"size": size, "backend": backend, "users_mib": users_mib}
        measured["candidates_mib"] = candidates.nbytes / 2**20
        if backend != "exact":
            built = _in_process(
                arguments.build_seconds, index_trial.build, directory, backend, arguments.threads
            )
            measured |= built or {"given_up_seconds": arguments.build_seconds}
        if "given_up_seconds" not in measured:
            found = _in_process(
                None, index_trial.measure, directory, backend, trial_queries, arguments.recall
            )
            measured |= found or {}
        _keep(arguments.work, measured)
        sys.stderr.write(f"{json.dumps(measured)}\n")


def _in_process(
    seconds: float | None, work: Callable[..., dict[str, Any]], *given: Any
) -> dict[str, Any] | None:
    """Call a function in a new process; return None after the time limit."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        future = pool.submit(work, *given)
        try:
            return future.result(seconds)
        except TimeoutError:
            for process in pool._processes.values():  # there is no public way to stop a running task
                process.kill()
            return None


def _keep(work: Path, measured: dict[str, Any]) -> None:
    """Save a result, replacing an earlier one of the same size and backend."""
    path = work / _RESULTS
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    same = (measured["size"], measured["backend"])
    kept = [each for each in kept if (each["size"], each["backend"]) != same]
    path.write_text(json.dumps([*kept, measured], indent=2) + "\n", encoding="utf-8")


def _table(arguments: argparse.Namespace) -> str:
    kept = json.loads((arguments.work / _RESULTS).read_text(encoding="utf-8"))
    kept.sort(key=lambda each: (each["size"], BACKENDS.index(each["backend"])))
    headings = [
        "candidates:",
        "index:",
        "build, s",
        "of it processor, s",
        "index file, MiB",
        "resident, MiB",
        "search_k",
        "recall@10",
        "p50, ms",
        "p99, ms",
        "p99 processor, ms",
        "processor of one, us",
        "in batches of 16, us",
        "load average",
    ]
    measured = {each["backend"] for each in kept}
    optional = [name for backend, name in _OPTIONAL.items() if backend in measured]
    machine = format_machine(describe_machine(["annoy", *optional, "numpy"]))
    files = ", ".join(
        f"{each['size']:,}: {each['candidates_mib']:.0f} MiB and {each['users_mib']:.0f} MiB"
        for each in kept
        if each["backend"] == "exact"
    )
    sizes = f" Embeddings and histories take, {files}." if files else ""
    return (
        f"`python -m benchmarks.catalogue_size`, {arguments.queries:,} queries one after another with a "
        f"pause of 2 ms, {machine}.{sizes}\n\n"
        f"{markdown_table(headings, [_row(each) for each in kept])}"
    )


def _row(each: dict[str, Any]) -> list[str]:
    def figure(name: str, form: str) -> str:
        return format(each[name], form) if name in each else "-"

    built = (
        f"over {each['given_up_seconds']:.0f}"
        if "given_up_seconds" in each
        else figure("build_seconds", ".0f")
    )
    return [
        f"{each['size']:,}",
        each["backend"],
        built,
        figure("build_cpu_seconds", ".0f"),
        figure("file_mib", ",.0f"),
        figure("resident_mib", ",.0f"),
        figure("search_k", ",") if each.get("search_k") else "-",
        figure("recall", ".3f"),
        figure("p50_ms", ".2f"),
        figure("p99_ms", ".2f"),
        figure("cpu_p99_ms", ".2f"),
        figure("cpu_mean_us", ",.0f"),
        figure("batch_cpu_us", ",.0f"),
        figure("load_average", ".0f"),
    ]


if __name__ == "__main__":
    main()
