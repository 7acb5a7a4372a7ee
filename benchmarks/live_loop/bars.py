"""The bars of the live loop: measurements, each with a line or two to print."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bundle_copies import copies_of
from benchmarks.live_loop.forgetting import shown_after_forgetting
from benchmarks.live_loop.kills import Losses, Posted, kill_database_often, kill_often, losses_of
from benchmarks.live_loop.new_movies import place_many, share_within
from benchmarks.live_loop.rates import imported_per_second, posts, recommends
from benchmarks.live_loop.read_your_writes import try_many
from benchmarks.live_loop.retry_storm import final_state, make_events, send_often, send_once
from benchmarks.measured_server import MeasuredServer
from benchmarks.postgres_server import PostgresServer
from service.bundle.catalogue import Catalogue
from service.bundle.current import read_current
from service.bundle.histories import Histories

NAMES = ("writes", "kills", "storm", "forget", "posts", "import", "recommend", "movies")
"""What can be measured."""

_NEW_USERS = 100_000
_MOST_MOVIES = 200
_FORGOTTEN = 50


class Bars:
    """Measures what the options of the command name.

    Args:
        arguments: Its options.
        directory: For stores and copies.
        database: A PostgreSQL to use, and to kill; None: SQLite, or the store of the options.
    """

    def __init__(
        self, arguments: argparse.Namespace, directory: Path, database: PostgresServer | None
    ) -> None:
        self._arguments = arguments
        self._database = database
        self._urls: dict[str, str] = {}
        self._directory = directory
        self._artifacts: Path = arguments.artifacts
        bundle = read_current(self._artifacts)
        self._movie_ids = Catalogue.open(bundle).movie_ids
        histories = Histories.open(bundle, len(self._movie_ids))
        self._users = [histories.user_id_of(row) for row in range(len(histories))]

    def measure(self, name: str) -> Iterator[str]:
        """Measure one of `NAMES`."""
        lines: Iterator[str] = getattr(self, f"_{name}")()
        return lines

    def _writes(self) -> Iterator[str]:
        """Read your writes."""
        with ExitStack() as stack:
            servers = [stack.enter_context(self._service("writes", workers=4))]
            if self._is_shared:
                servers.append(stack.enter_context(self._service("writes", workers=2)))
            tries = try_many([server.url for server in servers], tries=self._arguments.tries)
        posted, asked = (sorted(column) for column in zip(*tries.seconds, strict=True))
        yield (
            f"read your writes, {len(servers)} processes: {tries.violations} violations in {tries.done} "
            "(must: 0); "
            f"post p50 {_ms(posted, 0.5)}, p99 {_ms(posted, 0.99)}, answer p50 {_ms(asked, 0.5)}"
        )

    def _kills(self) -> Iterator[str]:
        """Nothing is lost."""
        settings = self._settings("kills", workers=2)
        posted = kill_often(self._artifacts, settings, kills=self._arguments.kills)
        with MeasuredServer.service(self._artifacts, settings) as server:
            yield f"service: {_lost(posted, losses_of(server.url, posted))}"
        if self._database is not None:
            with self._service("database-kills", workers=2) as server:
                posted = kill_database_often(server.url, self._database, kills=self._arguments.database_kills)
                yield f"database: {_lost(posted, losses_of(server.url, posted))}"

    def _storm(self) -> Iterator[str]:
        """Retries change nothing."""
        events = make_events(self._movie_ids, 2_000)
        with self._service("once", workers=2) as server:
            send_once(server.url, events)
            expected = final_state(server.url)
        with self._service("storm", workers=4) as server:
            sent = send_often(server.url, events)
            found = final_state(server.url)
        equal = "equal to" if found == expected else "NOT that of"
        yield (
            f"retry storm: {sent} sent of {len(events)} events by 8 clients, in any order: final state of "
            f"{len(found)} rows {equal} each sent once (must: equal)"
        )

    def _forget(self) -> Iterator[str]:
        """Who is forgotten stays so."""
        (directory := self._directory / "forget").mkdir()
        _, other = copies_of(read_current(self._artifacts), directory, 2)
        with MeasuredServer.service(directory, self._settings("forget", workers=4)) as server:
            shown, asked = shown_after_forgetting(server, other, self._users[:_FORGOTTEN])
        yield (
            f"{_FORGOTTEN} users forgotten, 4 workers, a bundle that has them gone back to: something of "
            f"them in {shown} of {asked} answers (must: 0)"
        )

    def _posts(self) -> Iterator[str]:
        """Posts a second."""
        for workers in sorted({1, self._arguments.workers}):
            with self._service(f"posts{workers}", workers=workers) as server:
                run = posts(server, self._movie_ids, seconds=self._arguments.seconds)
            yield (
                f"posts of one event, {workers} workers, 16 connections: {run.per_second:,.0f}/s, "
                f"p50 {run.p50_ms:.1f} ms, p99 {run.p99_ms:.1f} ms (must: 1,000, aim: 3,000)"
            )

    def _import(self) -> Iterator[str]:
        """Imported events a second."""
        with self._service("import", workers=1) as server:
            rate = self._fill(server)
        yield f"import of {self._arguments.rows:,} events: {rate:,.0f}/s (must: 30,000, aim: 100,000)"

    def _recommend(self) -> Iterator[str]:
        """What the store costs."""
        workers = self._arguments.workers
        with ExitStack() as stack:
            off = stack.enter_context(
                MeasuredServer.service(
                    self._artifacts, {"MATINEE_STORE": "off", "MATINEE_WORKERS": str(workers)}
                )
            )
            empty = stack.enter_context(self._service("empty", workers=workers))
            rates = recommends(
                [off, empty], self._users, rounds=self._arguments.rounds, seconds=self._arguments.seconds
            )
            yield (
                f"/recommend with an empty store: {rates[1] / rates[0]:.3f} of {rates[0]:,.0f}/s (must: 0.90)"
            )
            self._fill(empty)
            # Users of the bundle, who have live rows too: without the store the others all get one list.
            rates = recommends(
                [off, empty], self._users, rounds=self._arguments.rounds, seconds=self._arguments.seconds
            )
            yield (
                f"/recommend with {self._arguments.rows:,} live rows: {rates[1] / rates[0]:.3f} of "
                f"{rates[0]:,.0f}/s (must: 0.85)"
            )

    def _movies(self) -> Iterator[str]:
        """Where new movies are."""
        with self._service("movies", workers=4) as server:
            tries = min(self._arguments.tries, _MOST_MOVIES)
            places = place_many(server.url, self._movie_ids, tries=tries)
        yield (
            f"new movies, 4 workers: {places.absent} of {tries} not in the next answer (must: 0), put p50 "
            f"{_ms(sorted(places.seconds), 0.5)}; among the first 100 of a user who rated five alike: "
            f"{share_within(100, places.ranks):.0%}, and of the movies that they are copies of "
            f"{share_within(100, places.trained):.0%}"
        )

    def _fill(self, server: MeasuredServer) -> float:
        users = [*self._users, *_new_users(self._arguments.rows // 10)][: self._arguments.rows // 10]
        return imported_per_second(server, self._movie_ids, users=users, each=10)

    @contextmanager
    def _service(self, name: str, *, workers: int) -> Iterator[MeasuredServer]:
        with MeasuredServer.service(self._artifacts, self._settings(name, workers=workers)) as server:
            yield server

    @property
    def _is_shared(self) -> bool:
        return self._database is not None or bool(self._arguments.store)

    def _settings(self, name: str, *, workers: int) -> dict[str, str]:
        store = self._arguments.store or str(self._directory / f"{name}.sqlite3")
        if self._database is not None:
            if name not in self._urls:
                self._urls[name] = self._database.create(name)
            store = self._urls[name]
        return {"MATINEE_STORE": store, "MATINEE_WORKERS": str(workers)}


def _new_users(number: int) -> list[str]:
    return [f"new-{place}" for place in range(min(number, _NEW_USERS))]


def _lost(posted: Posted, losses: Losses) -> str:
    return (
        f"{posted.kills} kills, {len(posted.acknowledged)} events acknowledged: {losses.missing} missing, "
        f"{losses.doubled} doubled, {losses.torn} torn (must: 0, 0, 0)"
    )


def _ms(seconds: list[float], share: float) -> str:
    return f"{1000 * seconds[int(share * (len(seconds) - 1))]:.1f} ms"
