"""Read data prepared by tfds into the ratings table, by column and in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.data.assembly import assemble_movies, assemble_ratings
from training.data.demographics import age_group
from training.data.table import MovieTable, RatingsTable
from training.errors import DataError

_BATCH_ROWS = 65_536
_RATING_COLUMNS = {
    "user_id": tf.string,
    "movie_id": tf.string,
    "user_rating": tf.float32,
    "timestamp": tf.int64,
}
# By feature: the column of tfds, its dtype, and the conversion of its values to text.
_DEMOGRAPHICS: dict[str, tuple[str, Any, Callable[[Any], str]]] = {
    "gender": ("user_gender", tf.int64, lambda is_male: "M" if is_male else "F"),
    "age": ("bucketized_user_age", tf.float32, lambda years: age_group(int(years))),
    "occupation": ("user_occupation_text", tf.string, bytes.decode),
}
# How tfds interleaves several files.
_FILES_IN_TURN, _ROWS_IN_TURN = 16, 16


def read_prepared(ratings: Any, movies: Any, *, source: str) -> RatingsTable:
    """Read the prepared ratings and movies.

    Args:
        ratings: The `DatasetInfo` of the prepared ratings.
        movies: The `tf.data.Dataset` of the movies.
        source: Description of where the data came from.
    """
    try:
        movie_table = _read_movies(movies, ratings.features["movie_genres"].feature)
        columns = _read_columns(ratings)
    except tf.errors.OpError as error:
        reason = f"cannot be read ({type(error).__name__}); remove it to have it prepared again"
        raise DataError(f"{ratings.data_dir}: {reason}") from None
    users, first_rows, user_codes = np.unique(columns["user_id"], return_index=True, return_inverse=True)
    return assemble_ratings(
        user_ids=[str(user) for user in users],
        user_codes=user_codes,
        movies=movie_table,
        movie_rows=np.searchsorted(
            [int(movie_id) for movie_id in movie_table.movie_ids], columns["movie_id"]
        ),
        stars=columns["user_rating"],
        timestamps=columns["timestamp"],
        user_features={
            name: [in_words(value) for value in columns[column][first_rows].tolist()]
            for name, (column, _, in_words) in _DEMOGRAPHICS.items()
            if column in columns
        },
        name=f"movielens/{ratings.config_name.removesuffix('-ratings')}",
        source=source,
    )


def _read_movies(movies: Any, labels: Any) -> MovieTable:
    rows = list(movies.as_numpy_iterator())
    return assemble_movies(
        [row["movie_id"].decode() for row in rows],
        [row["movie_title"].decode() for row in rows],
        [[labels.int2str(label) for label in row["movie_genres"]] for row in rows],
    )


def _read_columns(ratings: Any) -> dict[str, NDArray[Any]]:
    """Read the ratings by column, in the row order of `tfds.load`; every MovieLens id is an integer.

    Parsing whole batches is 25 times faster than the dataset of tfds, which parses row by row.
    """
    spec = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in _RATING_COLUMNS.items()}
    for column, dtype, _ in _DEMOGRAPHICS.values():
        if column in ratings.features:
            spec[column] = tf.io.FixedLenFeature([], dtype)

    def parse(records: Any) -> dict[str, Any]:
        columns: dict[str, Any] = tf.io.parse_example(records, spec)
        return columns | {
            name: tf.strings.to_number(columns[name], tf.int64) for name in ("user_id", "movie_id")
        }

    files = tf.data.Dataset.from_tensor_slices([str(path) for path in ratings.splits["train"].filepaths])
    records = files.interleave(
        tf.data.TFRecordDataset, cycle_length=_FILES_IN_TURN, block_length=_ROWS_IN_TURN
    )
    batches = list(records.batch(_BATCH_ROWS).map(parse).as_numpy_iterator())
    return {name: np.concatenate([batch[name] for batch in batches]) for name in spec}
