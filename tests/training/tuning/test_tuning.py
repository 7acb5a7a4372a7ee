import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import table_of, two_clusters

from service.live import store
from service.live.migration import migrate
from service.live.sqlite_database import SqliteDatabase
from training.cli.config_file import read_config_file
from training.config import TrainingConfig
from training.data.splits import Split, split_by_name
from training.data.table import RatingsTable
from training.errors import NothingHeldOut
from training.tuning import tuning
from training.tuning.trial_record import Outcome, Trials
from training.tuning.trial_training import TrialTraining
from training.tuning.tuning import tune

TINY = TrainingConfig(epochs=2, rating_dimension=2, batch_size=64, max_history=64, time_buckets=20)


@pytest.fixture(scope="module")
def some() -> RatingsTable:
    table = two_clusters(per_user=12)
    return table.take(np.flatnonzero(table.user_rows < 30))


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Values that would have been trained with; the least weight decay is best."""
    measured: list[Mapping[str, Any]] = []

    def measure(_self: TrialTraining, values: Mapping[str, Any], *_: Any) -> Outcome:
        measured.append(values)
        quality = -values["weight_decay"] / 10
        return Outcome("complete", quality, {"hit_rate_at_100": 0.5}, 1.0, 9, 1.0)

    monkeypatch.setattr(TrialTraining, "measure", measure)
    return measured


def search(table: RatingsTable, artifacts: Path, config: TrainingConfig = TINY, **changes: Any) -> Trials:
    given: dict[str, Any] = {"objective": "all", "trials": 3, "command": "fit"} | changes
    return tune(table, "100k", config, given.pop("split", "temporal"), artifacts, **given)


def files_of(artifacts: Path, ending: str) -> list[Path]:
    return sorted(path for path in (artifacts / "tuning").iterdir() if path.name.endswith(ending))


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("split", ["temporal", "random"])
def test_test_rows_never_have_a_part(some: RatingsTable, tmp_path: Path, split: str) -> None:
    """Other ratings of other movies in the test rows: the same trials, the same figures."""
    held = split_by_name(some, split).test
    stars, movies = some.stars.copy(), some.movie_rows.copy()
    stars[held] = 5.5 - stars[held]
    movies[held] = np.random.default_rng(0).permutation(movies[held])
    other = replace(some, stars=stars, movie_rows=movies)
    assert other.sha256 != some.sha256
    found = [
        [
            (one.parameters, one.outcome.figures, one.outcome.epochs)
            for one in search(table, tmp_path / name, trials=2, split=split).records
        ]
        for name, table in (("one", some), ("other", other))
    ]
    assert found[0] == found[1]
    assert found[0][0][1].keys() == {"hit_rate_at_100", "ndcg_at_10", "rmse"}


@pytest.mark.usefixtures("untrained")
def test_what_was_posted_is_searched_with(
    some: RatingsTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feedback.sqlite3"
    database = SqliteDatabase(path)
    migrate(database)
    with database.borrow() as connection, connection.transaction():
        forgotten = some.user_ids[some.user_rows.min()]
        store.forget(connection, forgotten, now=1_000, key=store.key_of(connection))
    split: list[RatingsTable] = []

    def measure(table: RatingsTable, name: str) -> Split:
        split.append(table)
        return split_by_name(table, name)

    monkeypatch.setattr(tuning, "split_by_name", measure)
    search(some, tmp_path / "with", store=str(path))
    [searched] = split
    rated = [some.user_ids[row] for row in np.unique(some.user_rows)]
    assert searched.user_ids == tuple(rated[1:])


@pytest.mark.usefixtures("eagerly")
def test_a_movie_that_is_in_training_rows_changes_what_is_found(some: RatingsTable, tmp_path: Path) -> None:
    """That the test above would see a difference."""
    held = split_by_name(some, "temporal").train
    movies = some.movie_rows.copy()
    movies[held] = np.random.default_rng(0).permutation(movies[held])
    one, other = (
        search(table, tmp_path / name, trials=1).records[0].outcome.figures
        for name, table in (("one", some), ("other", replace(some, movie_rows=movies)))
    )
    assert one != other


def test_the_best_configuration_is_one_for_fit(
    some: RatingsTable, tmp_path: Path, untrained: list[Mapping[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    trials = search(some, tmp_path, replace(TINY, layers=(8, 4)), trials=4)
    [best] = files_of(tmp_path, "-best.json")
    least = min(values["weight_decay"] for values in untrained)
    read = read_config_file(best)
    assert read["weight_decay"] == least == trials.complete[0].parameters["weight_decay"]
    assert (read["epochs"], read["layers"], read["rating_dimension"]) == (9, (8, 4), 2)
    assert f"Train with:\n  fit --config {best}\n" in capsys.readouterr().out


def test_the_first_trial_has_the_hyper_parameters_that_were_given(
    some: RatingsTable, tmp_path: Path, untrained: list[Mapping[str, Any]]
) -> None:
    search(some, tmp_path, replace(TINY, weight_decay=4.5, learning_rate=0.004), trials=2)
    first, second = untrained
    assert (first["weight_decay"], first["learning_rate"]) == (4.5, 0.004)
    assert second["weight_decay"] != 4.5


def test_the_same_command_goes_on_until_there_are_enough_trials(
    some: RatingsTable,
    tmp_path: Path,
    untrained: list[Mapping[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    search(some, tmp_path, trials=2)
    assert [one.number for one in search(some, tmp_path, trials=5).records] == [0, 1, 2, 3, 4]
    assert len(search(some, tmp_path, trials=5).records) == len(untrained) == 5
    assert len(files_of(tmp_path, ".db")) == 1
    err = capsys.readouterr().err
    assert re.findall(r"The study \S+ (.*)\.$", err, re.MULTILINE) == [
        "begins",
        "goes on after 2 trials",
        "goes on after 5 trials",
    ]


@pytest.mark.usefixtures("untrained")
def test_whatever_makes_trials_incomparable_makes_a_study_of_its_own(
    some: RatingsTable, tmp_path: Path
) -> None:
    stars = some.stars.copy()
    stars[0] = 5.5 - stars[0]
    search(some, tmp_path)
    search(replace(some, stars=stars), tmp_path)
    search(some, tmp_path, split="random")
    search(some, tmp_path, objective="ndcg_at_10")
    search(some, tmp_path, replace(TINY, seed=4))
    search(some, tmp_path, replace(TINY, layers=(4,)))
    assert len(files_of(tmp_path, ".db")) == len(files_of(tmp_path, ".html")) == 6


@pytest.mark.usefixtures("untrained")
def test_after_the_seconds_no_trial_begins(some: RatingsTable, tmp_path: Path) -> None:
    assert search(some, tmp_path, trials=9, seconds=0.0).records == []
    assert files_of(tmp_path, ".html") == []


def test_ctrl_c_ends_with_what_was_found(
    some: RatingsTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    untrained: list[Mapping[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure = TrialTraining.measure

    def interrupt(training: TrialTraining, values: Mapping[str, Any], *given: Any) -> Outcome:
        if len(untrained) == 2:
            raise KeyboardInterrupt
        return measure(training, values, *given)

    monkeypatch.setattr(TrialTraining, "measure", interrupt)
    with pytest.raises(KeyboardInterrupt):
        search(some, tmp_path, trials=9)
    out = capsys.readouterr().out
    assert "Trials: 2 complete, 1 interrupted." in out
    assert "Train with:" in out
    [page] = files_of(tmp_path, ".html")
    assert "2 complete, 1 interrupted" in page.read_text(encoding="utf-8")


def test_too_few_ratings_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    few = table_of([("1", "a", 3.0, 1), ("2", "b", 4.0, 2)])
    with pytest.raises(
        NothingHeldOut, match="small: too few ratings to search with: the temporal split of 2"
    ):
        search(few, tmp_path / "artifacts")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("untrained")
def test_a_study_may_be_anywhere(some: RatingsTable, tmp_path: Path) -> None:
    search(some, tmp_path / "unused", study=tmp_path / "mine" / "books.db")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "books-best.json",
        "books.db",
        "books.html",
    ]
    assert not (tmp_path / "unused").exists()
    document = json.loads((tmp_path / "mine" / "books-best.json").read_text(encoding="utf-8"))
    assert document == TrainingConfig.from_document(document).to_document()
