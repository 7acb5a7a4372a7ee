"""Build and query one index over one synthetic catalogue; called in separate processes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import load_average
from service.bundle.annoy_index import AnnoyIndex
from service.bundle.array_files import open_array
from service.bundle.candidate_index import CANDIDATES_FILE, INDEX_FILES, CandidateIndex
from service.bundle.index_description import Backend, IndexDescription
from service.bundle.usearch_index import UsearchIndex
from service.recommending.candidate_search import LEVELS, best_first

K = 10
TREES, FIRST_SEARCH_K, MOST_SEARCH_K = 16, {"annoy": 500, "usearch": 64}, 2_000_000
_PAUSE_SECONDS = 0.002
"""Pause between queries, as in a service below its capacity."""


def build(directory: Path, backend: Backend, threads: int) -> dict[str, Any]:
    """Build an index as export does, except that usearch may use more threads.

    Returns:
        build_seconds, build_cpu_seconds, file_mib, load_average.
    """
    embeddings = np.load(directory / CANDIDATES_FILE)
    began, cpu_began = time.perf_counter(), time.process_time()
    if backend == "annoy":
        AnnoyIndex.build(directory, embeddings, trees=TREES, seed=0)
    else:
        UsearchIndex.build(directory, embeddings, threads=threads)
    return {
        "build_seconds": time.perf_counter() - began,
        "build_cpu_seconds": time.process_time() - cpu_began,
        "file_mib": (directory / INDEX_FILES[backend]).stat().st_size / 2**20,
        "load_average": load_average(),
    }


@dataclass(frozen=True, eq=False)
class Queries:
    """Queries of users with the exact results.

    Attributes:
        embeddings: float32 `[n, D]`.
        seen: int32 `[n, m]`, candidate rows to exclude.
        best: int32 `[n, K]`, the best candidates that were not seen, in any order.
    """

    embeddings: NDArray[np.float32]
    seen: NDArray[np.int32]
    best: NDArray[np.int32]

    @classmethod
    def of(
        cls, candidates: NDArray[np.float32], embeddings: NDArray[np.float32], seen: NDArray[np.int32]
    ) -> Queries:
        """Compute the exact results of queries."""
        best = np.empty((len(embeddings), K), np.int32)
        for place, query in enumerate(embeddings):
            scores = candidates @ query
            scores[seen[place]] = -np.inf
            best[place] = np.argpartition(-scores, K)[:K]
        return cls(embeddings, seen, best)


def measure(directory: Path, backend: Backend, queries: Queries, least_recall: float) -> dict[str, Any]:
    """Measure recall and latency, doubling search_k until the recall is reached.

    Backend `exact` scans all candidates. A query does what the service does for one request of a known user:
    retrieve rows for the first page and for the seen movies, remove the seen, score exactly, sort.

    Returns:
        search_k, recall, p50_ms, p99_ms, cpu_p99_ms, resident_mib (growth of the resident memory by index and
        candidates), private_mib (the part of it that is not shareable), load_average.
    """
    before = _resident_mib()
    search_k = FIRST_SEARCH_K.get(backend, 0)
    while True:
        index = _open(directory, backend, search_k)
        found, wall_ms, cpu_ms = _time(index, backend, queries)
        shares = [np.isin(queries.best[place], rows).mean() for place, rows in enumerate(found)]
        if (recall := float(np.mean(shares))) >= least_recall or search_k >= MOST_SEARCH_K or not search_k:
            break
        search_k *= 2
    after = _resident_mib()
    return {
        "search_k": search_k,
        "recall": recall,
        "p50_ms": float(np.percentile(wall_ms, 50)),
        "p99_ms": float(np.percentile(wall_ms, 99)),
        "cpu_p99_ms": float(np.percentile(cpu_ms, 99)),
        "resident_mib": sum(after.values()) - sum(before.values()),
        "private_mib": after["RssAnon"] - before["RssAnon"],
        "load_average": load_average(),
    }


def _open(directory: Path, backend: Backend, search_k: int) -> CandidateIndex:
    """Open an index as the service does; candidates can be scored beside any backend."""
    candidates = open_array(directory / CANDIDATES_FILE, np.float32, dimensions=2)
    description = IndexDescription(
        backend=backend,
        candidates=len(candidates),
        trees=TREES if backend == "annoy" else None,
        search_k=search_k or None,
        deep_search_k=search_k or None,
    )
    return CandidateIndex.open(directory, description, candidates.shape[1])


def _time(
    index: CandidateIndex, backend: Backend, queries: Queries
) -> tuple[list[NDArray[np.int32]], list[float], list[float]]:
    found, wall_ms, cpu_ms = [], [], []
    for query, excluded in zip(queries.embeddings, queries.seen, strict=True):
        time.sleep(_PAUSE_SECONDS)
        began, cpu_began = time.perf_counter(), time.thread_time()
        if backend == "exact":
            scores = index.score(query)
            scores[excluded] = -np.inf
            rows = np.argpartition(-scores, K)[:K].astype(np.int32)
            rows, _ = best_first(rows, scores[rows], K)
        else:
            nearest = index.nearest(query, LEVELS[0][1] + len(excluded))
            assert nearest is not None  # noqa: S101  the catalogue is larger than any request
            rows = np.setdiff1d(nearest, excluded)
            rows, _ = best_first(rows, index.score(query, rows), K)
        wall_ms.append(1000 * (time.perf_counter() - began))
        cpu_ms.append(1000 * (time.thread_time() - cpu_began))
        found.append(rows)
    return found, wall_ms, cpu_ms


def _resident_mib() -> dict[str, float]:
    """Return RssAnon (private) and RssFile (mapped files, shareable) of this process (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    sizes = dict(line.split(":") for line in lines if line.startswith(("RssAnon", "RssFile")))
    return {name: int(size.split()[0]) / 1024 for name, size in sizes.items()}
