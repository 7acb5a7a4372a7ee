"""From a query embedding to the best candidates that may be returned: the index where it is the sooner way.

**Exactly as many as asked for.** Annoy is asked for the rows wanted and as many more as are excluded one by
one or, by the filter's share of the catalogue, will not pass. Where too few of them pass it is asked for four
times as many, and where that would take longer than scoring every candidate, every candidate is scored. Both
were timed when the bundle was loaded.

**One order.** Annoy misses some, and other ones when it is asked for another number: pages taken from queries
of different sizes would overlap. So there are only three sizes, `LEVELS`, whatever the page. Beyond the
first, the list goes on with what the next deeper search finds after the last of them; what it finds before
that was missed at first and is left out. That takes candidates to spare: where there are not enough of them,
every one is scored for every page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle.best_candidates import Found as BestFound
from service.bundle.candidate_index import CandidateIndex
from service.recommending.filters import NO_ROWS, Allowed
from service.recommending.queries import DEEPEST
from service.recommending.stage_times import StageTimes
from service.settings import IndexKind

Found = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Candidate rows int32 `[n]` and their scores float32 `[n]`, best first, equals by rising row."""

LEVELS = ((32, 32), (128, 192), (DEEPEST, DEEPEST + 192))
"""How far down the list each search goes, and how many results it asks for: the more the first ones missed,
the fewer of them come after. Most pages end within the first."""

LARGEST_SCANNED = 40_000
"""Candidates up to which `auto` scores every one of them, no slower there than Annoy at a recall of 0.99:
docs/performance.md has the measurement."""

SCORES_AT_ONCE = 2**22
"""Scores of several queries that are in memory at the same time, 16 MiB."""

_WIDENING = 4
_TIMINGS = 5


class CandidateSearch:
    """Searches one bundle's candidates.

    Args:
        index: The candidates and, where the bundle has one, their index.
        kind: Whether the index is asked at all; `auto` decides by the number of candidates.
        widest: As measured with the same index before; None to measure it.
    """

    def __init__(
        self, index: CandidateIndex, kind: IndexKind = "annoy", *, widest: int | None = None
    ) -> None:
        self._index = index
        scans = kind == "exact" or (kind == "auto" and len(index) <= LARGEST_SCANNED)
        self._scans_all = scans or not index.is_searchable
        self.widest = self._measure_widest() if widest is None else widest

    @property
    def scans_all(self) -> bool:
        """Whether every candidate is scored for each query."""
        return self._scans_all

    def best_of_each(
        self,
        embeddings: NDArray[np.float32],
        allowed: Sequence[Allowed],
        depths: Sequence[int],
        times: StageTimes,
        *,
        exactly: bool = False,
    ) -> list[Found]:
        """What `best` finds for each of several queries, in less time.

        Args:
            embeddings: float32 `[B, embedding_dimension]`, contiguous.
            allowed: Of each query.
            depths: Of each query.
            times: As of `best`.
            exactly: As of `best`.
        """
        scans = exactly or self._scans_all
        joined = self._scanned_together(allowed) if scans else self._asked_together(allowed, depths)
        found: dict[int, Found] = {}
        for places in self._in_parts(joined) if len(joined) > 1 else ():
            queries = embeddings if len(places) == len(embeddings) else embeddings[places]
            of_places = [allowed[place] for place in places]
            together = self._scan_each if scans else self._ask_index_for_each
            answers = together(queries, of_places, max(depths[place] for place in places), times)
            for place, each in zip(places, answers, strict=True):
                if each is not None:
                    found[place] = each[0][: depths[place]], each[1][: depths[place]]
        for place, depth in enumerate(depths):
            if place not in found:
                found[place] = self.best(embeddings[place], allowed[place], depth, times, exactly=exactly)
        return [found[place] for place in range(len(depths))]

    def best(
        self,
        embedding: NDArray[np.float32],
        allowed: Allowed,
        depth: int,
        times: StageTimes,
        *,
        exactly: bool = False,
    ) -> Found:
        """The best candidates among those allowed.

        Args:
            embedding: float32 `[embedding_dimension]`, a query.
            allowed: Which may be returned.
            depth: How many, up to `DEEPEST`; those of a lesser depth are the first of a greater one.
            times: Takes the times of `index` and `rescore`, and every fallback.
            exactly: Whether to score every candidate, whatever that costs.

        Returns:
            Exactly `depth` candidates, or all that are left where that is fewer.
        """
        if exactly or self._scans_all:
            return self._scan(embedding, allowed, depth, times)
        found: Found | None = None
        for reaches, num_asked in LEVELS:
            deeper = None
            if allowed.has(LEVELS[-1][1]):
                deeper = self._ask_index(embedding, allowed, num_asked, times)
            if deeper is not None and found is not None:
                deeper = _continue(found, deeper)
            if deeper is None or len(deeper[0]) < reaches:
                times.fallback("exact")
                if found is None:
                    return self._scan(embedding, allowed, depth, times)
                deeper = _continue(found, self._scan(embedding, allowed, allowed.num_left, times))
            found = deeper[0][:reaches], deeper[1][:reaches]
            if depth <= reaches:
                break
        assert found is not None  # noqa: S101 there are levels
        return found[0][:depth], found[1][:depth]

    def _scanned_together(self, allowed: Sequence[Allowed]) -> list[int]:
        """Places of the queries for which most candidates are to be scored."""
        return [place for place, each in enumerate(allowed) if 4 * each.num_passing >= len(self._index)]

    def _asked_together(self, allowed: Sequence[Allowed], depths: Sequence[int]) -> list[int]:
        """Places of the queries that end within the first level and have no filter."""
        return [
            place
            for place, (each, depth) in enumerate(zip(allowed, depths, strict=True))
            if depth <= LEVELS[0][0] and each.num_passing == len(self._index) and each.has(LEVELS[-1][1])
        ]

    def _in_parts(self, places: list[int]) -> Iterator[list[int]]:
        """Places of so few queries at a time that their scores take little memory."""
        at_once = max(1, SCORES_AT_ONCE // len(self._index))
        for start in range(0, len(places), at_once):
            yield places[start : start + at_once]

    def _scan_each(
        self, queries: NDArray[np.float32], allowed: Sequence[Allowed], depth: int, times: StageTimes
    ) -> list[Found]:
        """As `_scan`, of several queries by one product of matrices."""
        missing = [each.missing for each in allowed]
        lengths = np.array([len(each) for each in missing], np.int64)
        found = _split(self._index.best.find(queries, lengths, np.concatenate(missing), depth))
        times.lap("index")
        return found

    def _ask_index_for_each(
        self, queries: NDArray[np.float32], allowed: Sequence[Allowed], _depth: int, times: StageTimes
    ) -> list[Found | None]:
        """The first level of `best` for several queries; None for one that needs another way."""
        reaches, num_asked = LEVELS[0]
        rows: list[NDArray[np.int32]] = []
        is_enough = []
        for query, each in zip(queries, allowed, strict=True):
            nearest = self._index.nearest(query, num_asked + each.num_excluded)
            kept = NO_ROWS if nearest is None else nearest[each.mask[nearest]]
            is_enough.append(len(kept) - self._index.num_beside >= num_asked)
            rows.append(kept if is_enough[-1] else NO_ROWS)
        times.lap("index")
        of_query = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
        found = _split(self._index.best.best_of(queries, of_query, np.concatenate(rows), reaches))
        times.lap("rescore")
        return [each if enough else None for each, enough in zip(found, is_enough, strict=True)]

    def _ask_index(
        self, embedding: NDArray[np.float32], allowed: Allowed, depth: int, times: StageTimes
    ) -> Found | None:
        """The best by Annoy, scored exactly; None where every candidate had better be scored."""
        num_rows, limit = depth + allowed.num_excluded, len(self._index)
        if allowed.num_passing < len(self._index):
            # Half as many again as would pass on average.
            num_rows = allowed.num_excluded + 3 * depth * len(self._index) // (2 * allowed.num_passing)
            limit = self.widest
            times.fallback("widened")
        while num_rows <= limit:
            nearest = self._index.nearest(embedding, num_rows, deep=depth > LEVELS[0][1])
            times.lap("index")
            if nearest is None:
                break
            rows = nearest[allowed.mask[nearest]]
            # Those beside the index must not stand for any that it would still find.
            if len(rows) - self._index.num_beside >= depth:
                found = best_first(rows, self._index.score(embedding, rows), depth)
                times.lap("rescore")
                return found
            times.fallback("widened")
            num_rows, limit = num_rows * _WIDENING, self.widest
        return None

    def _scan(self, embedding: NDArray[np.float32], allowed: Allowed, depth: int, times: StageTimes) -> Found:
        rows = np.flatnonzero(allowed.mask).astype(np.int32)
        if 4 * len(rows) < len(self._index):
            scores = self._index.score(embedding, rows)
        else:
            # To gather most of the candidates costs more than to score them all where they lie.
            scores = self._index.score(embedding)[rows]
        found = best_first(rows, scores, depth)
        times.lap("index")
        return found

    def _measure_widest(self) -> int:
        """The most rows to ask of Annoy: beyond, scoring every candidate was measured to be sooner.

        A power of two, so that processes which load the same bundle on one machine agree.
        """
        everything = Allowed(len(self._index))
        queries = self._index.embeddings(np.arange(min(_TIMINGS, len(self._index)), dtype=np.int32))
        scan_seconds = _least_seconds(
            lambda query: self._scan(query, everything, LEVELS[0][1], StageTimes()), queries
        )
        widest, num_rows = 0, 16
        while self._index.nearest(queries[0], num_rows) is not None:
            if _least_seconds(lambda query: self._ask(query, num_rows), queries) > scan_seconds:  # noqa: B023 called at once
                break
            widest, num_rows = num_rows, 2 * num_rows
        return widest

    def _ask(self, embedding: NDArray[np.float32], num_rows: int) -> None:
        if (rows := self._index.nearest(embedding, num_rows)) is not None:
            self._index.score(embedding, rows)


def _split(found: BestFound) -> list[Found]:
    ends = np.cumsum(found.lengths).tolist()
    starts = [0, *ends[:-1]]
    return [(found.rows[start:end], found.scores[start:end]) for start, end in zip(starts, ends, strict=True)]


def _continue(found: Found, deeper: Found) -> Found:
    """What was found first, then of the deeper search what comes after its last."""
    rows, scores = deeper
    last_row, last_score = found[0][-1], found[1][-1]
    after = (scores < last_score) | ((scores == last_score) & (rows > last_row))
    return np.concatenate([found[0], rows[after]]), np.concatenate([found[1], scores[after]])


def _least_seconds(work: Callable[[NDArray[np.float32]], object], queries: NDArray[np.float32]) -> float:
    seconds = []
    for query in queries:
        started = time.perf_counter()
        work(query)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def best_first(rows: NDArray[np.int32], scores: NDArray[np.float32], depth: int) -> Found:
    """The best of rows given in rising order, so that a stable sort leaves equals by row."""
    if depth < len(rows):
        # Whatever equals the last of them stays in, or which equals win would be left to the partition.
        kept = scores >= np.partition(scores, len(scores) - depth)[len(scores) - depth]
        rows, scores = rows[kept], scores[kept]
    order = np.argsort(-scores, kind="stable")[:depth]
    return rows[order], scores[order]
