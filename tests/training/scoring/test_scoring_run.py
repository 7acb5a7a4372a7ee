from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from numpy.typing import NDArray
from service_process import REPOSITORY
from tiny_model import MOVIE_IDS, USER_IDS, TinyModel

from service.bundle.locks import exclusive
from training.errors import ScoringError
from training.scoring.list_scorer import ListScorer, ScoredLists
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.scoring_run import ScoringOutcome

Score = Callable[..., ScoringOutcome]


class Stopped(Exception):
    """Ends a run in the middle."""


class CountingScorer(ListScorer):
    """Notes which users it scored."""

    def __init__(self, bundle: ScoredBundle, **options: Any) -> None:
        super().__init__(bundle, **options)
        self.scored: list[int] = []

    def score(self, user_rows: NDArray[np.int64]) -> ScoredLists:
        self.scored += user_rows.tolist()
        return super().score(user_rows)


def stop_after(parts: int) -> Callable[[int], None]:
    done = []

    def on_part(num_users: int) -> None:
        done.append(num_users)
        if len(done) == parts:
            raise Stopped

    return on_part


def left_of_run(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_has_each_users_list_in_a_row_group_a_part(
    score_all: Score, tmp_path: Path, tiny: TinyModel
) -> None:
    output = tmp_path / "new" / "lists.parquet"
    outcome = score_all(output, k=4, users_per_part=3)
    assert outcome == ScoringOutcome(num_lists=8, num_rows=32, num_resumed=0, num_parts=3)
    rows = pyarrow.parquet.read_table(output).to_pylist()
    expected = [
        {"user": user_id, "rank": rank, "item": MOVIE_IDS[row], "score": score, "bundle": "tiny-1"}
        for user_id in USER_IDS
        for rank, (row, score) in enumerate(tiny.recommend(user_id)[:4], start=1)
    ]
    assert [{name: row[name] for name in expected[0]} for row in rows] == expected
    stars = [tiny.stars(MOVIE_IDS.index(row["item"]), row["user"]) for row in rows]
    assert [row["predicted_rating"] for row in rows] == pytest.approx(stars, abs=1e-6)
    groups = pyarrow.parquet.ParquetFile(output).metadata
    assert [groups.row_group(at).num_rows for at in range(groups.num_row_groups)] == [12, 12, 8]
    assert left_of_run(output.parent) == ["lists.parquet"]


def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(
    score_all: Score, tiny_scored: ScoredBundle, tmp_path: Path
) -> None:
    undisturbed, output = tmp_path / "undisturbed.parquet", tmp_path / "lists.parquet"
    score_all(undisturbed)
    first = CountingScorer(tiny_scored, k=5)
    with pytest.raises(Stopped):
        score_all(output, threads=1, on_part=stop_after(3), scorer=first)
    assert not output.exists()
    second = CountingScorer(tiny_scored, k=5)
    outcome = score_all(output, scorer=second)
    assert outcome.num_resumed == len(first.scored) >= 3
    assert sorted(first.scored + second.scored) == list(range(len(USER_IDS)))
    assert output.read_bytes() == undisturbed.read_bytes()


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(
    score_all: Score, tiny_artifacts: Path, tmp_path: Path
) -> None:
    undisturbed, output = tmp_path / "undisturbed.parquet", tmp_path / "lists.parquet"
    score_all(undisturbed)
    program = f"""
import os, signal
from pathlib import Path
import numpy as np
from training.scoring.list_scorer import ListScorer
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.scoring_run import ScoringPlan, Threads, score_users
bundle = ScoredBundle.open(Path({str(tiny_artifacts / "tiny-1")!r}))
done = []
def kill_after_three(_):
    done.append(1)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
score_users(bundle, np.arange(8), Path({str(output)!r}), ScoringPlan(k=5, users_per_part=1),
            Threads(ListScorer(bundle, k=5), bundle, 1), on_part=kill_after_three)
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not output.exists()
    assert score_all(output).num_resumed >= 3
    assert output.read_bytes() == undisturbed.read_bytes()
    assert left_of_run(tmp_path) == ["lists.parquet", "undisturbed.parquet"]


def test_parts_of_another_run_are_not_taken(score_all: Score, tmp_path: Path) -> None:
    output = tmp_path / "lists.parquet"
    with pytest.raises(Stopped):
        score_all(output, k=5, on_part=stop_after(3))
    assert score_all(output, k=6) == ScoringOutcome(num_lists=8, num_rows=48, num_resumed=0, num_parts=8)


def test_a_former_file_stays_until_the_new_one_is_whole(score_all: Score, tmp_path: Path) -> None:
    output = tmp_path / "lists.parquet"
    score_all(output, k=5)
    former = output.read_bytes()
    with pytest.raises(Stopped):
        score_all(output, k=6, on_part=stop_after(3))
    assert output.read_bytes() == former
    score_all(output, k=6)
    assert pyarrow.parquet.read_metadata(output).num_rows == 48


def test_another_process_that_writes_the_same_file_is_an_error(score_all: Score, tmp_path: Path) -> None:
    with (
        exclusive(tmp_path / ".lists.parquet.lock"),
        pytest.raises(ScoringError, match="another process is writing it"),
    ):
        score_all(tmp_path / "lists.parquet")


def test_a_full_disk_is_an_error_after_which_the_run_goes_on(score_all: Score, tmp_path: Path) -> None:
    """By a limit of a file's size: to the program it is the same, an error of the system."""
    output = tmp_path / "lists.parquet"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, limits[1]))
    try:
        with pytest.raises(ScoringError, match=r"cannot be written: .*finished parts are kept"):
            score_all(output, k=100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert score_all(output, k=100).num_resumed > 0


def test_a_directory_that_cannot_be_made_is_an_error(score_all: Score, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ScoringError, match=r"file.*cannot be written"):
        score_all(tmp_path / "file" / "lists.parquet")
