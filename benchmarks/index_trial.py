"""Build and query one index over one synthetic catalogue; called in separate processes."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import load_average
from service.bundle.annoy_index import AnnoyIndex
from service.bundle.array_files import open_array
from service.bundle.candidate_index import CANDIDATES_FILE, INDEX_FILES, CandidateIndex
from service.bundle.faiss_index import FaissIndex
from service.bundle.index_description import Backend, IndexDescription
from service.bundle.usearch_index import UsearchIndex
from service.recommending.candidate_search import LEVELS, CandidateSearch, best_first
from service.recommending.filters import Allowed
from service.recommending.stage_times import StageTimes

K = 10
BATCH = 16
"""Queries that are answered together, as many as wait for a busy worker."""

TREES, FIRST_SEARCH_K, MOST_SEARCH_K = 16, {"annoy": 500, "usearch": 64, "faiss": 16}, 2_000_000
_DESCRIPTION = "faiss.json"
_SCORES_AT_ONCE = 2**27
_PAUSE_SECONDS = 0.002
"""Pause between queries, as in a service below its capacity."""


def build(directory: Path, backend: Backend, threads: int) -> dict[str, Any]:
    """Build an index as export does, except that usearch and faiss may use more threads.

    Returns:
        build_seconds, build_cpu_seconds, file_mib, load_average.
    """
    embeddings = open_array(directory / CANDIDATES_FILE, np.float32, dimensions=2)
    began, cpu_began = time.perf_counter(), time.process_time()
    if backend == "annoy":
        AnnoyIndex.build(directory, embeddings, trees=TREES, seed=0)
    elif backend == "faiss":
        index = FaissIndex.build(directory, embeddings, threads=threads)
        described = json.dumps(index.describe(1, 1).to_document())
        (directory / _DESCRIPTION).write_text(described, encoding="utf-8")
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
        at_once = max(1, _SCORES_AT_ONCE // len(candidates))
        for start in range(0, len(embeddings), at_once):
            part = slice(start, start + at_once)
            scores = embeddings[part] @ candidates.T
            np.put_along_axis(scores, seen[part], -np.inf, axis=1)
            for place, of_query in enumerate(scores, start):
                best[place] = np.argpartition(of_query, len(candidates) - K)[-K:]
        return cls(embeddings, seen, best)


def measure(directory: Path, backend: Backend, queries: Queries, least_recall: float) -> dict[str, Any]:
    """Measure recall and latency, doubling search_k until the recall is reached.

    Backend `exact` scans all candidates. A query does what the service does for one request of a known user:
    retrieve rows for the first page and for the seen movies, remove the seen, score exactly, sort.

    Returns:
        search_k, recall, p50_ms, p99_ms, cpu_p99_ms, cpu_mean_us, batch_cpu_us (processor time of a query,
        alone and in batches of `BATCH`), resident_mib (growth of the resident memory by index and
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
        "cpu_mean_us": 1000 * float(np.mean(cpu_ms)),
        "batch_cpu_us": _time_batches(index, backend, queries),
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
    if backend == "faiss":
        described = json.loads((directory / _DESCRIPTION).read_text(encoding="utf-8"))
        description = replace(
            IndexDescription.from_document(described, directory), search_k=search_k, deep_search_k=search_k
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


def _time_batches(index: CandidateIndex, backend: Backend, queries: Queries) -> float:
    """Mean processor microseconds of a query where several are answered together, as the service does."""
    search = CandidateSearch(index, "exact" if backend == "exact" else "annoy", widest=0)
    seconds = []
    for start in range(0, len(queries.embeddings) - BATCH + 1, BATCH):
        part = slice(start, start + BATCH)
        time.sleep(_PAUSE_SECONDS)
        began = time.thread_time()
        allowed = [Allowed(len(index), excluded=seen) for seen in queries.seen[part]]
        search.best_of_each(queries.embeddings[part], allowed, [K] * BATCH, StageTimes())
        seconds.append(time.thread_time() - began)
    return 1e6 * float(np.mean(seconds)) / BATCH


def _resident_mib() -> dict[str, float]:
    """Return RssAnon (private) and RssFile (mapped files, shareable) of this process (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    sizes = dict(line.split(":") for line in lines if line.startswith(("RssAnon", "RssFile")))
    return {name: int(size.split()[0]) / 1024 for name, size in sizes.items()}
