"""A ratings table in a directory of Arrow files, opened again by mapping them into memory.

`ratings.arrow` holds the columns of `RatingsTable`, 24 bytes a rating, in one uncompressed record batch: its
NumPy arrays are views of the mapping, so that processes of one machine share one copy, and what memory cannot
hold stays on disk. `users.arrow` and `movies.arrow` hold a row of each user and movie with their features.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.ipc
from numpy.typing import NDArray

from training.data.table import MovieTable, RatingsTable, UserFeature
from training.errors import DataError

RATINGS, USERS, MOVIES = "ratings.arrow", "users.arrow", "movies.arrow"

_VERSION = 1
_ABOUT = b"matinee"  # in the metadata of RATINGS: the rest of the table as JSON
_FEATURE = "feature:"  # before a feature's name
_TEXT, _TEXTS = pa.large_string(), pa.large_list(pa.large_string())


def write_table(table: RatingsTable, directory: Path) -> None:
    """Write a table into a directory, which is made if need be; a table in it is replaced.

    `RATINGS` is put in place last: without it there is no table in the directory.

    Raises:
        OSError: A file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / RATINGS).unlink(missing_ok=True)
    _write(directory / USERS, {"user_id": pa.array(table.user_ids, _TEXT)} | _user_features(table))
    movies = {
        "movie_id": pa.array(table.movies.movie_ids, _TEXT),
        "title": pa.array(table.movies.titles, _TEXT),
        "genres": _bags(table.movies.genres),
        "year": pa.array(table.movies.years),
    }
    _write(
        directory / MOVIES,
        movies | {_FEATURE + name: _bags(values) for name, values in table.movies.features.items()},
    )
    about = {
        "version": _VERSION,
        "users": table.num_users,
        "movies": table.num_movies,
        "has_times": table.has_times,
        "name": table.name,
        "source": table.source,
        "num_replaced": table.num_replaced,
    }
    columns = {
        "user_row": pa.array(table.user_rows),
        "movie_row": pa.array(table.movie_rows),
        "stars": pa.array(table.stars),
        "weight": pa.array(table.weights),
        "timestamp": pa.array(table.timestamps),
    }
    _write(directory / RATINGS, columns, {_ABOUT: json.dumps(about).encode()})


def open_table(directory: Path) -> RatingsTable:
    """Open what `write_table` wrote: equal in every value, its columns read-only and mapped.

    Raises:
        DataError: There is no table in the directory, it is damaged or of another version.
    """
    try:
        ratings, about = _read(directory / RATINGS)
        if about.get("version") != _VERSION:
            raise DataError(
                f"{directory / RATINGS}: expected version {_VERSION} of a ratings table, "
                f"got {about.get('version')!r}: write it again with this version of Matinee"
            )
        users, _ = _read(directory / USERS)
        movies, _ = _read(directory / MOVIES)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{directory}: expected a ratings table in {RATINGS}, {USERS} and {MOVIES}, "
            f"but it cannot be read: write it again ({error})"
        ) from error
    if (users.num_rows, movies.num_rows) != (about["users"], about["movies"]):
        raise DataError(
            f"{directory}: expected {about['users']} users and {about['movies']} movies, "
            f"got {users.num_rows} and {movies.num_rows}, files of different tables: write it again"
        )
    return RatingsTable(
        user_rows=_view(ratings, "user_row"),
        movie_rows=_view(ratings, "movie_row"),
        stars=_view(ratings, "stars"),
        weights=_view(ratings, "weight"),
        timestamps=_view(ratings, "timestamp"),
        has_times=about["has_times"],
        user_ids=tuple(users["user_id"].to_pylist()),
        movies=MovieTable(
            movie_ids=tuple(movies["movie_id"].to_pylist()),
            titles=tuple(movies["title"].to_pylist()),
            genres=_tuples(movies["genres"]),
            years=_view(movies, "year"),
            features={name: _tuples(values) for name, values in _features(movies)},
        ),
        user_features={
            name: UserFeature(
                tuple(values.dictionary.to_pylist()),
                pyarrow.compute.fill_null(values.indices, -1).to_numpy(),
            )
            for name, values in _features(users)
        },
        name=about["name"],
        source=about["source"],
        num_replaced=about["num_replaced"],
    )


def _user_features(table: RatingsTable) -> dict[str, pa.Array]:
    return {
        _FEATURE + name: pa.DictionaryArray.from_arrays(
            pa.array(feature.codes, mask=feature.codes < 0), pa.array(feature.vocabulary, _TEXT)
        )
        for name, feature in table.user_features.items()
    }


def _bags(values: Iterable[tuple[str, ...]]) -> pa.Array:
    return pa.array(list(values), _TEXTS)


def _tuples(values: pa.Array) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, values.to_pylist()))


def _features(batch: pa.RecordBatch) -> list[tuple[str, pa.Array]]:
    """Each feature's name and values, in the order in which they were written."""
    names = [name for name in batch.schema.names if name.startswith(_FEATURE)]
    return [(name.removeprefix(_FEATURE), batch[name]) for name in names]


def _view(batch: pa.RecordBatch, name: str) -> NDArray[Any]:
    view: NDArray[Any] = batch[name].to_numpy(zero_copy_only=True)
    return view


def _write(
    path: Path, columns: Mapping[str, pa.Array], metadata: Mapping[bytes, bytes] | None = None
) -> None:
    batch = pa.record_batch(dict(columns)).replace_schema_metadata(metadata)
    unfinished = path.with_name(f".{path.name}")
    with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
    unfinished.replace(path)  # never in place: the one before may be mapped


def _read(path: Path) -> tuple[pa.RecordBatch, dict[str, Any]]:
    """Map a file; its columns, and what its metadata says of the table."""
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    metadata = reader.schema.metadata or {}
    return reader.get_batch(0), json.loads(metadata.get(_ABOUT, b"{}"))
