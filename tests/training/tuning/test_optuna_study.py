import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from service_process import REPOSITORY

from training.errors import AnotherTraining, ConfigurationError
from training.tuning.optuna_study import LEAST_EXPLAINED, open_study
from training.tuning.search_space import Searched
from training.tuning.trial_record import Outcome, Trials

SEARCHED = (
    Searched(name="learning_rate", low=0.001, high=0.1, log=True, reason="a test"),
    Searched(name="embedding_dimension", low=32, high=128, step=32, reason="a test"),
)
DEFAULTS = {"learning_rate": 0.003, "embedding_dimension": 64}
ABOUT = {"data": "abc", "split": "temporal"}

Measure = Callable[[Mapping[str, Any], Callable[[int, float], bool]], Outcome]


def small_rates_are_best(values: Mapping[str, Any], _: Any) -> Outcome:
    found = -values["learning_rate"]
    return Outcome("complete", found, {"rmse": -found}, 0.5, 7, 1.0)


def search(path: Path, count: int, measure: Measure = small_rates_are_best, **changes: Any) -> Trials:
    given: dict[str, Any] = {"searched": SEARCHED, "holds_for": ABOUT, "seed": 1} | changes
    with open_study(path, **given) as study:
        for _ in range(count):
            study.run_trial(DEFAULTS, measure)
        return study.trials()


def tried(trials: Trials) -> Sequence[Mapping[str, Any]]:
    return [one.parameters for one in trials.ended]


def test_the_first_trial_is_the_defaults_and_the_others_are_within_the_ranges(tmp_path: Path) -> None:
    trials = search(tmp_path / "study.db", 12)
    assert [one.number for one in trials.records] == list(range(12))
    assert trials.records[0].parameters == DEFAULTS
    assert [one.is_default for one in trials.records] == [True] + [False] * 11
    for one in trials.records:
        assert 0.001 <= one.parameters["learning_rate"] <= 0.1
        assert one.parameters["embedding_dimension"] in {32, 64, 96, 128}
    assert len({one.parameters["learning_rate"] for one in trials.records}) == 12


def test_what_was_found_is_read_back_the_best_first(tmp_path: Path) -> None:
    trials = search(tmp_path / "study.db", 5)
    rates = [one.parameters["learning_rate"] for one in trials.complete]
    assert rates == sorted(one.parameters["learning_rate"] for one in trials.records)
    best = trials.complete[0].outcome
    assert best == Outcome("complete", -rates[0], {"rmse": rates[0]}, 0.5, 7, 1.0)
    assert search(tmp_path / "study.db", 0) == trials


def test_a_search_that_is_resumed_tries_what_it_would_have_tried(tmp_path: Path) -> None:
    whole = search(tmp_path / "whole.db", 14)
    for count in (1, 4, 0, 8, 1):
        resumed = search(tmp_path / "parts.db", count)
    assert tried(resumed) == tried(whole)
    assert [one.number for one in resumed.records] == list(range(14))


def test_another_seed_tries_other_values(tmp_path: Path) -> None:
    one, other = (search(tmp_path / f"{seed}.db", 3, seed=seed) for seed in (1, 2))
    assert tried(one)[0] == tried(other)[0] == DEFAULTS
    assert tried(one)[1:] != tried(other)[1:]


@pytest.mark.parametrize("before", [0, 2])
def test_a_trial_that_ctrl_c_ended_is_tried_again_under_the_next_number(tmp_path: Path, before: int) -> None:
    def interrupted(*_: Any) -> Outcome:
        raise KeyboardInterrupt

    path = tmp_path / "study.db"
    search(path, before)
    with pytest.raises(KeyboardInterrupt):
        search(path, 1, interrupted)
    trials = search(path, 1)
    lost, again = trials.records[-2:]
    assert (lost.number, lost.outcome.ending) == (before, "interrupted")
    assert (again.number, again.outcome.ending) == (before + 1, "complete")
    assert again.parameters == lost.parameters
    assert (again.parameters == DEFAULTS) is again.is_default is (before == 0)
    assert len(trials.ended) == before + 1


def test_a_search_that_is_killed_within_a_trial_goes_on(tmp_path: Path) -> None:
    """In a process of its own, which SIGKILL ends in the midst of its second trial."""
    path = tmp_path / "study.db"
    script = (
        "import os, signal, sys\n"
        "sys.path.insert(0, os.path.join('tests', 'training', 'tuning'))\n"
        "sys.path.insert(0, 'tests')\n"
        "import test_optuna_study as here\n"
        "from pathlib import Path\n"
        "def kill(values, give_up):\n"
        "    give_up(1, 0.5)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "path = Path(sys.argv[1])\n"
        "here.search(path, 1)\n"
        "here.search(path, 1, kill)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, path], cwd=REPOSITORY, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    trials = search(path, 2)
    assert [one.outcome.ending for one in trials.records] == [
        "complete",
        "interrupted",
        "complete",
        "complete",
    ]
    assert [one.number for one in trials.records] == [0, 1, 2, 3]
    assert trials.records[2].parameters == trials.records[1].parameters
    assert tried(trials) == tried(search(tmp_path / "whole.db", 3))


def test_a_trial_below_the_median_is_given_up_and_is_never_the_best(tmp_path: Path) -> None:
    asked: list[list[bool]] = []

    def course(_: Mapping[str, Any], give_up: Callable[[int, float], bool]) -> Outcome:
        high = len(asked) != 6
        asked.append([])
        for step in range(1, 9):
            asked[-1].append(give_up(step, step + 10.0 * high))
            if asked[-1][-1]:
                return Outcome("stopped", 99.0, {}, 1.0, 8, 1.0)
        return Outcome("complete", 8 + 10.0 * high, {}, 1.0, 8, 1.0)

    trials = search(tmp_path / "study.db", 7, course)
    assert all(given == [False] * 8 for given in asked[:6])
    assert asked[6] == [False, False, True]
    assert trials.records[6].outcome.ending == "stopped"
    assert trials.records[6].curve == [1.0, 2.0, 3.0]
    assert trials.complete[0].outcome.quality == 18
    assert len(trials.ended) == 7


def test_a_trial_that_diverges_counts_and_the_search_goes_on(tmp_path: Path) -> None:
    search(tmp_path / "study.db", 1)
    search(tmp_path / "study.db", 1, lambda *_: Outcome("diverged", seconds=2.0))
    trials = search(tmp_path / "study.db", 1)
    assert [one.outcome.ending for one in trials.records] == ["complete", "diverged", "complete"]
    assert trials.gain(trials.records[1].outcome.quality) is None


def test_importances_are_shares_of_what_matters_once_there_are_enough_trials(tmp_path: Path) -> None:
    few = search(tmp_path / "study.db", LEAST_EXPLAINED - 1)
    assert few.importances == {}
    many = search(tmp_path / "study.db", 15)
    assert list(many.importances) == ["learning_rate", "embedding_dimension"]
    assert sum(many.importances.values()) == pytest.approx(1)


def test_a_study_of_something_else_is_refused_naming_what(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    search(path, 1)
    message = "its trials are of another data, and do not compare with those of this command"
    with pytest.raises(ConfigurationError, match=message):
        search(path, 1, holds_for=ABOUT | {"data": "xyz"})
    assert len(search(path, 0).records) == 1


@pytest.mark.parametrize("content", [b"userId,movieId\n1,2\n" * 200, b"SQLite format 3\0 and no more"])
def test_a_file_that_is_no_study_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ratings.csv"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"ratings\.csv: expected a study that `tune` wrote"):
        search(path, 1)
    assert path.read_bytes() == content


def test_a_directory_and_a_place_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected a file, got a directory"):
        search(tmp_path, 1)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        search(tmp_path / "file" / "study.db", 1)


def test_two_processes_do_not_search_with_one_study(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with open_study(path, SEARCHED, ABOUT, 1), pytest.raises(AnotherTraining, match="another process"):
        search(path, 1)
    assert len(search(path, 1).records) == 1
    assert os.listdir(tmp_path) == ["study.db"]  # noqa: PTH208 as read


def test_any_path_can_hold_a_study(tmp_path: Path) -> None:
    path = tmp_path / "a b?c#d%20" / "été [1].db"
    search(path, 1)
    assert path.is_file()
    assert len(search(path, 1).records) == 2
