from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_ratings import SMALL_CONFIG, table_of

from training.data.table import RatingsTable
from training.data.table_files import open_table
from training.distributed.training_run import TrainingRun, remove_finished_runs
from training.errors import ExportError


@pytest.fixture
def table() -> RatingsTable:
    return table_of([("ann", "1", 4.0, 10), ("bo", "2", 3.0, 20)])


def test_the_same_training_has_the_same_directory_and_another_has_another(
    table: RatingsTable, tmp_path: Path
) -> None:
    run = TrainingRun.of(tmp_path / "runs", table, SMALL_CONFIG)
    assert TrainingRun.of(tmp_path / "runs", table, SMALL_CONFIG) == run
    other_seed = replace(SMALL_CONFIG, seed=SMALL_CONFIG.seed + 1)
    assert TrainingRun.of(tmp_path / "runs", table, other_seed) != run
    other_rows = table_of([("ann", "1", 4.0, 10), ("bo", "2", 3.5, 20)])
    assert TrainingRun.of(tmp_path / "runs", other_rows, SMALL_CONFIG) != run


def test_workers_find_the_table_in_it(table: RatingsTable, tmp_path: Path) -> None:
    run = TrainingRun.of(tmp_path / "runs", table, SMALL_CONFIG)
    assert open_table(run.table).sha256 == table.sha256
    assert run.directory.is_absolute()


def test_events_are_read_once_each_and_only_when_complete(table: RatingsTable, tmp_path: Path) -> None:
    run = TrainingRun.of(tmp_path / "runs", table, SMALL_CONFIG)
    run.clear_events()
    run.add_event({"epoch": 1})
    with run.events.open("a", encoding="utf-8") as half:
        half.write('{"epoch": ')
    [(event, offset)] = run.events_from(0)
    assert event == {"epoch": 1}
    assert list(run.events_from(offset)) == []
    with run.events.open("a", encoding="utf-8") as rest:
        rest.write("2}\n")
    assert [event for event, _ in run.events_from(offset)] == [{"epoch": 2}]


def test_only_runs_that_came_to_their_end_are_removed(table: RatingsTable, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    remove_finished_runs(runs)  # nothing there yet
    ended = TrainingRun.of(runs, table, SMALL_CONFIG)
    going_on = TrainingRun.of(runs, table, replace(SMALL_CONFIG, epochs=1))
    ended.finish()
    remove_finished_runs(runs)
    assert not ended.directory.exists()
    assert going_on.directory.exists()
    going_on.finish()
    remove_finished_runs(runs)
    assert not runs.exists()


def test_a_directory_that_cannot_be_made_is_named(table: RatingsTable, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="file"):
        TrainingRun.of(tmp_path / "file" / "runs", table, SMALL_CONFIG)
