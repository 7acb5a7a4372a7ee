"""Ratings and watches that were posted to the service, and who was forgotten, over the ratings of files."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from service.bundle.candidate_encoding import MovieContent
from service.errors import StoreError
from service.live.training_feed import TrainingFeed, reading
from training.data.column_storage import in_memory, kept_in
from training.data.overlay import NEVER, StoredPairs, overlaid
from training.data.table import MovieTable, RatingsTable
from training.errors import DataError, Forgotten, SourceError


@dataclass(frozen=True, eq=False)
class StoredFeedback:
    """What a store holds at one moment, each (user, movie) pair once, with the ratings of files.

    Attributes:
        table: The files' ratings, without forgotten users, and the store's over them.
        position: Of the store: who was forgotten up to here is not in the table.
        num_pairs: Pairs of the store that are in the table.
        num_forgotten: Users of the files who were forgotten.
        num_described: Movies with a title, genres or a year that apps put.
    """

    table: RatingsTable
    position: int
    num_pairs: int
    num_forgotten: int
    num_described: int
    _setting: str
    _key: bytes

    @classmethod
    def over(cls, table: RatingsTable, setting: str) -> StoredFeedback:
        """Read a store, and lay what it holds over ratings, as the service does with a bundle's histories.

        Args:
            table: The ratings of files.
            setting: The store: a path, or a URL of PostgreSQL.

        Raises:
            SourceError: It cannot be read.
        """
        with _opened(setting) as feed:
            pairs = _pairs(feed)
            forgotten = set(feed.forgotten(table.user_ids))
            known = np.array([user_id not in forgotten for user_id in table.user_ids], np.bool_)
            merged, num_pairs = overlaid(table, known[table.user_rows], pairs)
            if not len(merged):
                raise DataError(
                    f"--store: expected ratings to train on, all of {table.name} are of forgotten users"
                )
            movies, num_described = _described(merged.movies, frozenset(table.movies.movie_ids), feed)
            merged = dataclasses.replace(merged, movies=movies)
            if merged.allocate is not in_memory:
                merged = kept_in(merged, merged.allocate)
            return cls(merged, feed.position, num_pairs, len(forgotten), num_described, setting, feed.key)

    def require_none_forgotten(self) -> None:
        """Check that no user of the table was forgotten since.

        Raises:
            Forgotten: One was.
            SourceError: The store cannot be read, or is another one.
        """
        with _opened(self._setting) as feed:
            if feed.key != self._key or feed.position < self.position:
                raise SourceError(
                    "--store: expected the store that training began with, got another one (restored from a "
                    "backup?): who was forgotten since is not known; train again"
                )
            forgotten = feed.forgotten(self.table.user_ids, after=self.position)
        if forgotten:
            raise Forgotten(
                f"{len(forgotten):,} of the users trained on were forgotten meanwhile: the bundle was "
                "discarded and the live one stays; train again"
            )


@contextmanager
def _opened(setting: str) -> Iterator[TrainingFeed]:
    try:
        with reading(setting) as feed:
            yield feed
    except StoreError as error:
        raise SourceError(f"--store: {error}") from error


def _pairs(feed: TrainingFeed) -> StoredPairs:
    users, movies, stars = [], [], []
    times: list[tuple[int, int, int]] = []
    for user_id, movie in feed.watched():
        if movie.seen_at is None and movie.removed_at is None:
            continue  # hidden only: neither seen nor rated
        users.append(user_id)
        movies.append(movie.movie_id)
        stars.append(np.nan if movie.stars is None else movie.stars)
        times.append((_time(movie.rated_at), _time(movie.seen_at), _time(movie.removed_at)))
    columns = np.array(times, np.int64).reshape(-1, 3).T
    return StoredPairs(users, movies, np.array(stars, np.float32), columns[0], columns[1], columns[2])


def _described(movies: MovieTable, of_files: Container[str], feed: TrainingFeed) -> tuple[MovieTable, int]:
    """Movies with what apps put of them over what files say, and of how many that is something else."""
    known = [
        MovieContent(title, genres, year or None)
        for title, genres, year in zip(movies.titles, movies.genres, movies.years.tolist(), strict=True)
    ]
    over = feed.movies_over(
        {
            movie_id: content if movie_id in of_files else None
            for movie_id, content in zip(movies.movie_ids, known, strict=True)
        }
    )
    now = [over.get(movie_id, content) for movie_id, content in zip(movies.movie_ids, known, strict=True)]
    described = dataclasses.replace(
        movies,
        titles=tuple(content.title for content in now),
        genres=tuple(content.genres for content in now),
        years=np.array([content.year or 0 for content in now], np.int32),
    )
    return described, sum(content != before for content, before in zip(now, known, strict=True))


def _time(seconds: int | None) -> int:
    return int(NEVER) if seconds is None else seconds
