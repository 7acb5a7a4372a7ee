"""Splits of the ratings into training and test rows: at one moment, at each user's own, or at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.table import RatingsTable, id_order
from training.data.user_blocks import user_blocks
from training.errors import DataError

_SEED = 42


@dataclass(frozen=True, eq=False)
class Split:
    """Training and test rows of a table; each row is in exactly one of them.

    Attributes:
        name: 'global', 'temporal' or 'random'.
        train: Row positions; int64, shape [num_train].
        test: Row positions; int64, shape [num_test].
    """

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def random_split(table: RatingsTable) -> Split:
    """Split as the TFRS tutorials do: shuffle all rows, the first 80 % are training rows.

    Rows are in shuffled order. The tutorials use `tf.random.set_seed(42)` and
    `dataset.shuffle(100_000, seed=42, reshuffle_each_iteration=False)`; here the buffer holds every row, so
    that larger data is shuffled completely. It needs about 250 bytes a row.
    """
    num_rows = len(table)
    # The op takes both seeds, so that TensorFlow's global seed is not changed.
    shuffled = tf.raw_ops.ShuffleDataset(
        input_dataset=tf.data.experimental.to_variant(tf.data.Dataset.range(num_rows)),
        buffer_size=max(num_rows, 100_000),
        seed=_SEED,
        seed2=_SEED,
        output_types=[tf.int64],
        output_shapes=[[]],
        reshuffle_each_iteration=False,
    )
    dataset = tf.data.experimental.from_variant(shuffled, tf.TensorSpec([], tf.int64))
    batches = list(dataset.batch(65_536).as_numpy_iterator())
    rows = np.concatenate(batches) if batches else np.empty(0, np.int64)
    num_train = round(0.8 * num_rows)
    return Split("random", rows[:num_train], rows[num_train:])


def temporal_split(table: RatingsTable) -> Split:
    """Split by time: each user's last 20 % are test rows, the rest training rows.

    A user's n rows are ordered by timestamp, then by movie id (as integers if all ids are, else as text); the
    last round(0.2 n) are test rows, halves rounded to even as by Python's `round`. Rows are in table order.
    That ids order what is tied is part of the published definition; `choose_split` never splits data so in
    which most of a user's times tie. Other users' training rows may be later than a test row.
    """
    order_of_id = np.empty(table.num_movies, np.int64)
    order_of_id[id_order(table.movies.movie_ids)] = np.arange(table.num_movies)
    num_rated = np.bincount(table.user_rows, minlength=table.num_users)
    num_test = np.rint(0.2 * num_rated)
    is_test = np.zeros(len(table), np.bool_)
    every_user = np.arange(table.num_users, dtype=np.int32)
    for rows in user_blocks(table.user_rows, every_user, table.num_users):
        keys = order_of_id[table.movie_rows[rows]], table.timestamps[rows], table.user_rows[rows]
        ordered = rows[np.lexsort(keys)]
        users = table.user_rows[ordered]
        ends = np.cumsum(np.bincount(users, minlength=table.num_users))
        num_later = ends[users] - 1 - np.arange(len(users))
        is_test[ordered] = num_later < num_test[users]
    return Split("temporal", np.flatnonzero(~is_test), np.flatnonzero(is_test))


def global_split(table: RatingsTable) -> Split:
    """Split at one moment for everybody: rows before it train, the last 20 % of all rows, from it on, test.

    Rows of equal time are on one side; the moment is the one with which the share is nearest to 20 %. Users
    who have no earlier row are test users like others. Rows are in table order; where all times are equal,
    none is a test row.
    """
    times = np.sort(table.timestamps)
    wanted = 0.8 * len(times)
    # Where times change about there: as many rows are earlier.
    around = times[int(wanted)] if len(times) else 0
    changes = [int(np.searchsorted(times, around, side)) for side in ("left", "right")]
    changes = [change for change in changes if 0 < change < len(times)]
    if not changes:
        return Split("global", np.arange(len(table)), np.empty(0, np.int64))
    moment = times[min(changes, key=lambda num_earlier: abs(num_earlier - wanted))]
    is_test = table.timestamps >= moment
    return Split("global", np.flatnonzero(~is_test), np.flatnonzero(is_test))


def news_split(table: RatingsTable, is_news: NDArray[np.bool_]) -> Split:
    """Split off the latest fifth of what is new, or a random one without times; all else is trained on.

    Args:
        table: All ratings.
        is_news: Which rows an earlier model was not trained on, bool `[num_ratings]`.
    """
    rows = np.flatnonzero(is_news)
    random = np.random.default_rng(_SEED).permutation(len(rows))
    order = np.lexsort((random, table.timestamps[rows]))
    is_test = np.zeros(len(table), np.bool_)
    is_test[rows[order[len(rows) - round(0.2 * len(rows)) :]]] = True
    return Split("news", np.flatnonzero(~is_test), np.flatnonzero(is_test))


_SPLITS: dict[str, Callable[[RatingsTable], Split]] = {
    "global": global_split,
    "temporal": temporal_split,
    "random": random_split,
}


SPLIT_NAMES = tuple(_SPLITS)


def choose_split(table: RatingsTable, wanted: str) -> tuple[str, str | None]:
    """Choose the split by which a table can be measured.

    Args:
        table: All ratings.
        wanted: The name of a split, or `auto`: global where the table has times, else random.

    Returns:
        The name of the split, and what to report where the times decide against what was wanted.
    """
    if wanted == "random" or table.has_times:
        return ("global" if wanted == "auto" else wanted), None
    instead = "" if wanted == "auto" else f" instead of by the {wanted} split"
    return "random", (
        f"the times of {table.name} do not tell which of a user's ratings came first: "
        f"it is measured by the random split{instead}"
    )


def split_by_name(table: RatingsTable, name: str) -> Split:
    """Split a table by the name of the split.

    Raises:
        DataError: There is no split of this name.
    """
    if name not in _SPLITS:
        raise DataError(f"no split is called {name!r}; expected one of {', '.join(_SPLITS)}")
    return _SPLITS[name](table)
