import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from service_process import REPOSITORY
from synthetic_ratings import two_clusters

from training.data.column_storage import MappedColumns, kept_in
from training.data.splits import global_split, temporal_split
from training.model.histories import Histories

_COLUMNS = ("user_rows", "movie_rows", "stars", "weights", "timestamps")

_MEASURE = """
import json, sys
from pathlib import Path
import numpy as np
from training.data.column_storage import MappedColumns, in_memory
from training.data.table import MovieTable, RatingsTable
from training.model.histories import Histories

def anonymous():
    status = Path("/proc/self/status").read_text().split()
    return 1024 * int(status[status.index("RssAnon:") + 1])

users, movies, each = 4_000, 5_000, 1_000
allocate = MappedColumns(Path(sys.argv[2])) if sys.argv[1] == "mapped" else in_memory
ids = MovieTable(tuple(map(str, range(movies))), ("",) * movies, ((),) * movies, np.zeros(movies, np.int32))
count = users * each
before = anonymous()
columns = {
    name: allocate(count, dtype)
    for name, dtype in dict(
        user_rows=np.int32, movie_rows=np.int32, stars=np.float32, weights=np.float32, timestamps=np.int64
    ).items()
}
random = np.random.default_rng(0)
for user in range(users):
    rows = slice(user * each, (user + 1) * each)
    columns["user_rows"][rows] = user
    columns["movie_rows"][rows] = random.choice(movies, each, replace=False)
    columns["stars"][rows] = random.integers(1, 6, each)
    columns["weights"][rows] = 1
    columns["timestamps"][rows] = random.integers(0, 10**9, each)
table = RatingsTable(
    **columns, has_times=True, user_ids=tuple(map(str, range(users))), movies=ids, user_features={},
    name="", source="", num_replaced=0, allocate=allocate,
)
half = table.take(np.arange(0, count, 2))
histories = Histories.from_table(half)
checks = [float(np.dot(values[::97], np.arange(len(values[::97])) % 1009)) for values in (
    half.timestamps.astype(float), histories.timestamps.astype(float), histories.movie_rows.astype(float),
)]
print(json.dumps([anonymous() - before, checks]))
"""


def measured(kind: str, directory: Path) -> tuple[int, list[float]]:
    """Growth of anonymous memory by a table of four million ratings, half of it and its histories."""
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURE, kind, str(directory)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    growth, checks = json.loads(ended.stdout)
    return growth, checks


def test_what_is_made_of_mapped_columns_is_mapped_too_and_equal_bit_for_bit(tmp_path: Path) -> None:
    table = two_clusters()
    mapped = kept_in(table, MappedColumns(tmp_path))
    for one, other in ((table, mapped), (table.take(np.arange(9)), mapped.take(np.arange(9)))):
        for name in _COLUMNS:
            values = getattr(other, name)
            np.testing.assert_array_equal(values, getattr(one, name))
            assert values.dtype == getattr(one, name).dtype
    histories, of_mapped = Histories.from_table(table), Histories.from_table(mapped)
    for name in ("movie_rows", "ratings", "weights", "timestamps"):
        np.testing.assert_array_equal(getattr(of_mapped, name), getattr(histories, name))
    for split in (temporal_split, global_split):
        np.testing.assert_array_equal(split(table).train, split(mapped).train)
    assert list(tmp_path.iterdir()) == []  # the files have no names


def test_no_rows_need_no_file(tmp_path: Path) -> None:
    assert len(MappedColumns(tmp_path)(0, np.int64)) == 0


def test_where_there_is_no_room_it_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"space|large"):
        MappedColumns(tmp_path)(2**50, np.int64)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_mapped_columns_are_no_memory_of_the_process(tmp_path: Path) -> None:
    in_memory, checks = measured("memory", tmp_path)
    mapped, of_mapped = measured("mapped", tmp_path)
    assert of_mapped == checks
    # 24 bytes a rating of the table, 24 of the half and 20 of its histories.
    columns = 4_000_000 * 24 + 2_000_000 * (24 + 20)
    assert in_memory > columns
    assert in_memory - mapped > 0.9 * columns
