"""Ratings encoded as the tutorials' training examples, one per rating."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.data.splits import random_split
from training.data.table import RatingsTable
from training.errors import DataError
from training.experiments.titles import Titles

Columns: TypeAlias = dict[str, NDArray[np.generic]]

# XLA compiles for each shape, so the distinct titles of a batch are padded to a multiple of this.
_COLUMNS_STEP = 128
# Log count of a padding column: it adds nothing to a softmax.
_PADDING_LOG_COUNT = -1e9


@dataclass(frozen=True, eq=False)
class RatingRows:
    """Ratings by column, `n` of them.

    Attributes:
        user_rows: int32 `[n]`.
        time_rows: int32 `[n]`, the bucket of each time.
        normalized_times: float32 `[n, 1]`, in standard deviations from the mean time.
        candidate_rows: int32 `[n]`, positions in `Titles.names`.
        stars: float32 `[n]`.
    """

    user_rows: NDArray[np.int32]
    time_rows: NDArray[np.int32]
    normalized_times: NDArray[np.float32]
    candidate_rows: NDArray[np.int32]
    stars: NDArray[np.float32]

    @classmethod
    def from_table(cls, table: RatingsTable, titles: Titles, time_buckets: int) -> RatingRows:
        """Encode a table; buckets, mean and spread of times are those of all its rows, as published.

        `time_buckets` boundaries lie equally far apart from the first time to the last: with the bucket
        before the first time there are `time_buckets` + 1, as in the deep retrieval tutorial. Times and
        boundaries are compared as Keras's Discretization does, in float32, whose values are 64 s apart here.
        """
        times = table.timestamps
        boundaries = np.linspace(times.min(), times.max(), time_buckets).astype(np.float32)
        spread = float(times.std()) or 1.0
        return cls(
            user_rows=table.user_rows,
            time_rows=np.searchsorted(boundaries, times.astype(np.float32), side="right").astype(np.int32),
            normalized_times=((times - times.mean()) / spread).astype(np.float32)[:, None],
            candidate_rows=titles.row_of_movie[table.movie_rows],
            stars=table.stars,
        )

    def __len__(self) -> int:
        return len(self.user_rows)

    def take(self, rows: NDArray[np.integer] | slice) -> RatingRows:
        """Return these rows only, in their order."""
        return RatingRows(*(getattr(self, field.name)[rows] for field in dataclasses.fields(self)))

    @property
    def queries(self) -> Columns:
        """The query tower's inputs by name."""
        return {
            "user_rows": self.user_rows,
            "time_rows": self.time_rows,
            "normalized_times": self.normalized_times,
        }

    def slices(self, size: int) -> Iterator[RatingRows]:
        """Yield `size` rows at a time; the last may be fewer."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))


@dataclass(frozen=True, eq=False)
class TutorialData:
    """Training and test rows of the published random split, candidates by title."""

    num_users: int
    titles: Titles
    train: RatingRows
    test: RatingRows

    @classmethod
    def from_table(cls, table: RatingsTable, time_buckets: int) -> TutorialData:
        """Split and encode a table of ratings.

        Raises:
            DataError: There are too few ratings to hold a fifth of them out.
        """
        split = random_split(table)
        if not len(split.train) or not len(split.test):
            raise DataError(f"{table.name}: expected ratings to train on and to hold out, got {len(table)}")
        titles = Titles.of(table.movies)
        rows = RatingRows.from_table(table, titles, time_buckets)
        return cls(table.num_users, titles, rows.take(split.train), rows.take(split.test))


@dataclass(frozen=True, eq=False)
class Epoch:
    """All rows once, shuffled, cut into batches.

    A batch's softmax has a column for each of its distinct titles, which counts as often as the batch has it.

    Attributes:
        columns: The query inputs, `stars` and `targets` (int32, columns of the row's batch), all `[n]`.
        row_starts: int32 `[batches + 1]`, where each batch begins among the rows, then the end.
        candidate_rows: int32 `[k]`, the softmax columns of all batches.
        log_counts: float32 `[k]`, log of that number.
        column_starts: int32 `[batches + 1]`, where each batch begins among them.
    """

    columns: Columns
    row_starts: NDArray[np.int32]
    candidate_rows: NDArray[np.int32]
    log_counts: NDArray[np.float32]
    column_starts: NDArray[np.int32]

    @classmethod
    def shuffled(cls, rows: RatingRows, size: int, num_titles: int, random: np.random.Generator) -> Epoch:
        """Shuffle `rows` into batches of `size`; the last batch may be smaller."""
        rows = rows.take(random.permutation(len(rows)))
        targets, candidate_rows, log_counts = [], [], []
        for batch in rows.slices(size):
            counts = np.bincount(batch.candidate_rows, minlength=num_titles)
            [distinct] = np.nonzero(counts)
            column_of = np.cumsum(counts > 0) - 1
            targets.append(column_of[batch.candidate_rows])
            padding = (0, -len(distinct) % _COLUMNS_STEP)
            candidate_rows.append(np.pad(distinct, padding))
            log_counts.append(np.pad(np.log(counts[distinct]), padding, constant_values=_PADDING_LOG_COUNT))
        widths = [len(columns) for columns in candidate_rows]
        return cls(
            columns=rows.queries | {"stars": rows.stars, "targets": np.concatenate(targets).astype(np.int32)},
            row_starts=np.append(np.arange(0, len(rows), size), len(rows)).astype(np.int32),
            candidate_rows=np.concatenate(candidate_rows).astype(np.int32),
            log_counts=np.concatenate(log_counts).astype(np.float32),
            column_starts=np.concatenate([[0], np.cumsum(widths)]).astype(np.int32),
        )
