import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic_ratings import two_clusters

from training.config import TrainingConfig
from training.data.memory_limit import MemoryLimit, MemoryNeed
from training.errors import ConfigurationError

GIB = 2**30


@pytest.mark.parametrize(
    ("text", "num_bytes"),
    [("4GiB", 4 * GIB), ("4G", 4 * GIB), (" 1.5 gb ", 3 * GIB // 2), ("900MiB", 900 * 2**20)],
)
def test_sizes_are_read_as_people_write_them(text: str, num_bytes: int, tmp_path: Path) -> None:
    assert MemoryLimit.parse(text, tmp_path, TrainingConfig()).num_bytes == num_bytes


@pytest.mark.parametrize("text", ["4", "four GiB", "-1GiB", "0GiB", "4GiB or so", ""])
def test_what_is_no_size_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a size such as 4GiB"):
        MemoryLimit.parse(text, tmp_path, TrainingConfig())


def test_the_need_grows_with_everything_and_is_less_with_mapped_files() -> None:
    config = TrainingConfig()
    least = MemoryNeed.of(1_000_000, 10_000, 5_000, config)
    assert least.mapped < least.in_memory
    for more in (
        MemoryNeed.of(2_000_000, 10_000, 5_000, config),
        MemoryNeed.of(1_000_000, 20_000, 5_000, config),
        MemoryNeed.of(1_000_000, 10_000, 10_000, config),
        MemoryNeed.of(1_000_000, 10_000, 5_000, replace(config, embedding_dimension=256)),
    ):
        assert more.mapped > least.mapped
        assert more.in_memory > least.in_memory


def test_ratings_stay_in_memory_where_it_is_enough_and_are_mapped_where_only_that_is(tmp_path: Path) -> None:
    table = two_clusters()
    need = MemoryNeed.of(len(table), table.num_users, table.num_movies, TrainingConfig())
    limit = MemoryLimit(need.in_memory, tmp_path, TrainingConfig(), taken=lambda: 0)
    assert limit.placed(table) is table
    placed = replace(limit, num_bytes=need.in_memory - 1, directory=tmp_path / "new").placed(table)
    assert placed is not table
    np.testing.assert_array_equal(placed.timestamps, table.timestamps)
    assert replace(limit, num_bytes=need.in_memory - 1).placed(placed) is placed  # once is enough


def test_too_little_memory_is_refused_with_the_figures_that_are_needed(tmp_path: Path) -> None:
    table = two_clusters()
    limit = MemoryLimit.parse("100MiB", tmp_path, TrainingConfig())
    with pytest.raises(ConfigurationError) as caught:
        limit.placed(table)
    message = str(caught.value)
    needed = re.fullmatch(
        r"--memory: small needs (\d\.\d) GiB with its ratings in mapped files \((\d\.\d) GiB with them in "
        r"memory\) at 64 dimensions, got 0\.1 GiB: allow as much",
        message,
    )
    assert needed is not None, message
    with pytest.raises(ConfigurationError, match="at 128 dimensions"):
        limit.require(table, TrainingConfig(embedding_dimension=128))
    # What it names is enough.
    enough = MemoryLimit.parse(f"{needed[1]}GiB", tmp_path, TrainingConfig())
    assert len(replace(enough, taken=lambda: 0).placed(table)) == len(table)


def test_a_limit_that_reading_the_ratings_has_passed_is_refused_before_they_are_mapped(
    tmp_path: Path,
) -> None:
    table = two_clusters()
    need = MemoryNeed.of(len(table), table.num_users, table.num_movies, TrainingConfig())
    limit = MemoryLimit(need.mapped, tmp_path, TrainingConfig(), taken=lambda: 3 * 2**30)
    with pytest.raises(ConfigurationError, match=r"reading small took 3\.0 GiB, got 0\.9 GiB: allow as much"):
        limit.placed(table)
