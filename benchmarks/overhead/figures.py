"""Figures of one service: batches, the store, workers, the tail, memory, the start."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.live_loop.rates import imported_per_second
from benchmarks.measured_server import MeasuredServer
from benchmarks.overhead.bodies import BATCH_SIZE, CONNECTIONS, Bodies, Kind, Rounds
from benchmarks.page import markdown_table
from benchmarks.socket_load import Load, percentile
from service.bundle.catalogue import Catalogue
from service.bundle.current import read_current
from service.bundle.histories import Histories

_BATCH_CONNECTIONS = 4
_LIVE_USERS, _RATINGS_OF_EACH = 5_000, 200
_STARTS = 3


class Figure(NamedTuple):
    """A figure, what it must and should be, and what else is to be said of it."""

    name: str
    measured: str
    must: str
    aim: str
    note: str = ""


class _Measurement(NamedTuple):
    """What the figures are of.

    Attributes:
        artifacts: With a bundle.
        bodies: Of the requests.
        settings: Of the service.
        rounds: Of each figure.
    """

    artifacts: Path
    bodies: Bodies
    settings: Mapping[str, str]
    rounds: Rounds

    def service(self, **more: str) -> AbstractContextManager[MeasuredServer]:
        """Start a service with further settings."""
        return MeasuredServer.service(self.artifacts, dict(self.settings) | more)

    def rate(self, server: MeasuredServer, kind: Kind, connections: int = CONNECTIONS) -> float:
        """Requests a second."""
        run = self.bodies.load(server, kind, connections=connections, seconds=self.rounds.seconds)
        return run.per_second


def measure_figures(artifacts: Path, services: Mapping[str, Mapping[str, str]], rounds: Rounds) -> str:
    """Measure all; return a table as Markdown."""
    rows: list[Figure] = []
    with MeasuredServer.service(artifacts, services["exact"]) as server:
        exact = _Measurement(artifacts, Bodies(server.url), services["exact"], rounds)
        rows += [_batch(exact, server), _store(exact, server)]
    annoy = exact._replace(settings=services["annoy"])
    with annoy.service() as server:
        rows += [_tail(annoy, server), _two_workers(annoy, server), _memory(server)]
    rows.append(_start(annoy))
    return markdown_table(["figure:", "measured", "must", "aim", "of:"], rows)


def _batch(of: _Measurement, server: MeasuredServer) -> Figure:
    ratios = []
    for _ in range(of.rounds.repeats + 1):
        single = of.rate(server, "known user")
        ratios.append(BATCH_SIZE * of.rate(server, "batch", _BATCH_CONNECTIONS) / single)
    return _ratio("lists a second in batches of 256 over single requests", ratios[1:], "4", "8")


def _store(of: _Measurement, without: MeasuredServer) -> Figure:
    """Requests a second with a store of a million ratings, over those without a store."""
    bundle = read_current(of.artifacts)
    movie_ids = Catalogue.open(bundle).movie_ids
    histories = Histories.open(bundle, len(movie_ids))
    # Users of the bundle, who have live rows too, and then others.
    known = [histories.user_id_of(row) for row in range(min(_LIVE_USERS, len(histories)))]
    users = [*known, *(f"live-{number}" for number in range(_LIVE_USERS - len(known)))]
    with (
        tempfile.TemporaryDirectory(prefix="overhead-") as directory,
        of.service(MATINEE_STORE=f"{directory}/store.sqlite3") as server,
    ):
        imported_per_second(server, movie_ids, users=users, each=_RATINGS_OF_EACH)
        ratios = []
        for _ in range(of.rounds.repeats + 1):
            base = of.rate(without, "known user")
            ratios.append(of.rate(server, "known user") / base)
    rows = _LIVE_USERS * _RATINGS_OF_EACH
    return _ratio(f"with the store on, {rows:,} live rows, over without it", ratios[1:], "0.85", "0.93")


def _tail(of: _Measurement, server: MeasuredServer) -> Figure:
    """The tail of latencies where requests arrive at half of the highest rate."""
    most = of.rate(server, "known user")
    tails = []
    for _ in range(of.rounds.repeats):
        load = Load(server.port, of.bodies.of("known user"), connections=64, per_second=most / 2)
        time.sleep(3 * of.rounds.seconds)
        samples = [each for each in load.stop() if each.status == 200]
        tails.append((percentile(samples, 0.99), percentile(samples, 0.5)))
    p99, p50 = sorted(tails, key=lambda each: each[0] / each[1])[len(tails) // 2]
    note = f"{1000 * p99:.1f} / {1000 * p50:.1f} ms at {most / 2:,.0f}/s"
    return Figure("p99 over p50 at half of the most, open loop", f"{p99 / p50:.1f}", "2.0", "1.5", note)


def _two_workers(of: _Measurement, one: MeasuredServer) -> Figure:
    with of.service(MATINEE_WORKERS="2") as two:
        ratios = []
        for _ in range(of.rounds.repeats + 1):
            # Each of the 32 connections stays with one worker.
            single, both = (of.rate(server, "known user", 2 * CONNECTIONS) for server in (one, two))
            ratios.append(both / single)
    return _ratio("two workers over one, the client on the same cores", ratios[1:], "1.75", "")


def _memory(server: MeasuredServer) -> Figure:
    note = f"after all of the above; {server.proportional_mib():.0f} where shared pages count by their share"
    return Figure("resident memory of one worker, MiB", f"{server.resident_mib():.0f}", "500", "350", note)


def _start(of: _Measurement) -> Figure:
    starts = []
    for _ in range(_STARTS):
        with of.service() as server:
            starts.append(server.start_seconds)
    return Figure("process start to ready, s", f"{median(starts):.1f}", "2.5", "")


def _ratio(name: str, ratios: list[float], must: str, aim: str) -> Figure:
    return Figure(name, f"{median(ratios):.2f}", must, aim, f"{min(ratios):.2f} to {max(ratios):.2f}")
