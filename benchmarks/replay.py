"""`python -m benchmarks.replay`: replay what users watched next through HTTP, with the store and without.

The bundle is trained on the training rows of the temporal split of MovieLens 100K. Its test rows, in the
order of their times, are what happens then: the user asks for ten movies, then watches one and rates it. With
the store that rating is posted before the next row; without it (MATINEE_STORE=off) nothing is, and the same
requests are made. Hit rate@10: how often the next movie watched was in the list; MRR@10: its mean reciprocal
rank, 0 where it was not. Both sides exclude what they know to be seen, as the service does by default; a
third replay, without the store too, has the app exclude what was watched since: what is left is what the
model reads of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.measured_server import MeasuredServer
from training.config import PRESETS, TrainingConfig
from training.data.table import RatingsTable, id_order
from training.evaluation.intervals import Ratio, ratio
from training.evaluation.user_sums import UserSums, sum_by_user

_DEPTH = 10


@dataclass(frozen=True)
class Row:
    """A movie that a user watched and rated.

    Attributes:
        user: Position among the users who are replayed.
        user_id, movie_id: External ids.
        stars: The rating.
        timestamp: Unix seconds.
    """

    user: int
    user_id: str
    movie_id: str
    stars: float
    timestamp: int


def main() -> None:
    """Train where there is no bundle yet, replay both ways, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--data", default="auto", help="as of `fit`")
    parser.add_argument(
        "--artifacts",
        type=Path,
        help="where a bundle of the training rows is, or will be; a temporary one if not given",
    )
    parser.add_argument("--store", help="an empty database of PostgreSQL; a file of SQLite if not given")
    parser.add_argument("--users", type=int, help="replay so many, drawn once; all if not given")
    parser.add_argument(
        "--timeless", action="store_true", help="do not say in requests when they are made, on both sides"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="replay-") as directory:
        artifacts = arguments.artifacts or Path(directory) / "artifacts"
        train, test = _split(arguments.data)
        if not (artifacts / "CURRENT").exists():
            _fit(train, artifacts)
        rows = in_order(test, arguments.users)
        store = arguments.store or str(Path(directory) / "feedback.sqlite3")
        started = time.monotonic()
        says_when = not arguments.timeless
        without = _replay(artifacts, "off", rows, says_when=says_when)
        excluding = _replay(artifacts, "off", rows, says_when=says_when, excludes=True)
        with_store = _replay(artifacts, store, rows, says_when=says_when)
    users = np.array([row.user for row in rows])
    sys.stdout.write(
        f"{len(rows):,} movies watched by {users.max() + 1:,} users, replayed three times in "
        f"{time.monotonic() - started:.0f} s\n"
    )
    for name, gains in (("hit rate@10", _hits), ("MRR@10", _reciprocal)):
        ours = gains(with_store)
        against = compared(f"{name} of the next movie", users, ours, gains(without))
        beside = compared("  where the app excludes what was watched", users, ours, gains(excluding))
        sys.stdout.write(f"{against} (must: above 1, aim: 1.3)\n{beside}\n")


def _split(data: str) -> tuple[RatingsTable, RatingsTable]:
    # TensorFlow takes seconds to import: not for --help.
    from training.cli.data_loading import load  # noqa: PLC0415 as above
    from training.data.splits import split_by_name  # noqa: PLC0415 as above
    from training.evaluation.held_out import hold_out  # noqa: PLC0415 as above

    table = load(data, "100k")
    held_out = hold_out(table, split_by_name(table, "temporal"))
    return held_out.train, held_out.test


def _fit(train: RatingsTable, artifacts: Path) -> None:
    from training import pipeline  # noqa: PLC0415 heavy

    pipeline.fit(train, "100k", TrainingConfig(**PRESETS["forward"]), None, artifacts)


def in_order(test: RatingsTable, num_users: int | None) -> list[Row]:
    """Rows by time, equal times by user and movie id as the split has them; of so many users, or of all."""
    users = np.unique(test.user_rows)
    if num_users is not None and num_users < len(users):
        users = np.sort(np.random.default_rng(0).choice(users, num_users, replace=False))
        test = test.take(np.flatnonzero(np.isin(test.user_rows, users)))
    place_of_movie = np.empty(test.num_movies, np.int64)
    place_of_movie[id_order(test.movies.movie_ids)] = np.arange(test.num_movies)
    place_of_user = np.searchsorted(users, test.user_rows).tolist()
    return [
        Row(
            place_of_user[at],
            test.user_ids[test.user_rows[at]],
            test.movies.movie_ids[test.movie_rows[at]],
            float(test.stars[at]),
            int(test.timestamps[at]),
        )
        for at in np.lexsort((place_of_movie[test.movie_rows], test.user_rows, test.timestamps)).tolist()
    ]


def _replay(
    artifacts: Path, store: str, rows: Sequence[Row], *, says_when: bool, excludes: bool = False
) -> NDArray[np.int64]:
    """By row the place of its movie in the list that came before it, from 1; 0 where it was not there."""
    posts = store != "off"
    settings = {"MATINEE_STORE": store}
    with MeasuredServer.service(artifacts, settings) as server, httpx.Client(base_url=server.url) as client:
        places = places_of(client, rows, posts=posts, says_when=says_when, excludes=excludes)
        return np.fromiter(places, np.int64)


def places_of(
    client: httpx.Client, rows: Sequence[Row], *, posts: bool, says_when: bool, excludes: bool
) -> Iterator[int]:
    """By row the place of its movie in the list that came before it, from 1; 0 where it was not there.

    Args:
        client: Of a service.
        rows: In their order.
        posts: Whether what was watched is posted afterwards.
        says_when: Whether requests say when they are made.
        excludes: Whether they exclude what the rows before say was watched.
    """
    watched: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        query: dict[str, object] = {"user_id": row.user_id, "k": _DEPTH}
        if says_when:
            query["timestamp"] = row.timestamp
        if excludes:
            query["exclude"] = watched[row.user_id]
            watched[row.user_id] = [*watched[row.user_id], row.movie_id]
        items = client.post("/recommend", json=query).raise_for_status().json()["items"]
        ids = [item["movie_id"] for item in items]
        yield ids.index(row.movie_id) + 1 if row.movie_id in ids else 0
        if posts:
            event: dict[str, object] = {"user_id": row.user_id, "movie_id": row.movie_id}
            event |= {"type": "rating", "value": row.stars, "timestamp": row.timestamp}
            answer = client.post("/feedback", json={"events": [event]}).raise_for_status().json()
            if answer["stored"] != 1 or answer["unknown_movies"]:
                raise SystemExit(f"expected an empty store and known movies, got {answer} of {row}")


def _hits(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return (places > 0).astype(np.float64)


def _reciprocal(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(1.0, places, out=np.zeros(len(places)), where=places > 0)


def compared(
    name: str, users: NDArray[np.int64], with_store: NDArray[np.float64], without: NDArray[np.float64]
) -> str:
    """Say a mean over rows both ways and how many times one is the other, with its interval over users."""
    num_users = int(users.max()) + 1
    rows = sum_by_user(users, np.ones(len(users)), num_users)
    sums = [
        UserSums({name: sum_by_user(users, gains, num_users)}, {name: rows})
        for gains in (with_store, without)
    ]
    found: Ratio = ratio(sums[0], sums[1], name)
    measured = [each.measures()[name] for each in sums]
    interval = "" if found["low"] is None else f" (95 % interval {found['low']:.2f} to {found['high']:.2f})"
    return (
        f"{name}: {measured[0]:.4f} with the store, {measured[1]:.4f} without: "
        f"{found['ratio']:.2f} times{interval}"
    )


if __name__ == "__main__":
    main()
