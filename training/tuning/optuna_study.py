"""A study of Optuna in an SQLite file: which values to try next, and what was found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from service.bundle.locks import exclusive
from training.errors import AnotherTraining, ConfigurationError
from training.evaluation.validated_fit import GiveUp
from training.tuning.search_space import Searched
from training.tuning.trial_record import Outcome, TrialRecord, Trials

MOST_RANDOM = 10
"""Trials that are drawn at random before the sampler learns from them; the defaults are the first."""

LEAST_EXPLAINED = 10
"""Complete trials from which importances are computed."""

_UNPRUNED_TRIALS, _UNPRUNED_VALIDATIONS = 5, 3
_NAME = "matinee"

Measure = Callable[[Mapping[str, Any], GiveUp], Outcome]
"""Trains with the values of hyper-parameters. It is given a function that takes the number and the quality of
each validation and returns whether to give up."""


@dataclass(frozen=True, eq=False)
class BegunTrial:
    """A trial under way.

    Attributes:
        of_study: As Optuna has it.
        values: Of the searched hyper-parameters, by name.
    """

    of_study: optuna.Trial
    values: Mapping[str, Any]

    @property
    def number(self) -> int:
        """From 0."""
        return self.of_study.number


class OptunaStudy:
    """Trials of one search, each written as it ends.

    Values are drawn by a sampler whose seed is of the number of trials that ended before, so that a search
    that is interrupted goes on as if it had not been: the trial that was lost is drawn again.
    """

    def __init__(self, study: optuna.Study, searched: Sequence[Searched], seed: int) -> None:
        self._study, self._searched, self._seed = study, searched, seed

    def trials(self) -> Trials:
        """Read the trials that have ended."""
        records = [_record(trial) for trial in self._study.get_trials(deepcopy=False)]
        trials = Trials([one for one in records if one is not None])
        importances: dict[str, float] = {}
        if len(trials.complete) >= LEAST_EXPLAINED:
            importances = optuna.importance.get_param_importances(self._study)
        return Trials(trials.records, importances)

    def run_trial(self, defaults: Mapping[str, Any], measure: Measure) -> None:
        """Choose values, measure them and write down what was found.

        Args:
            defaults: The values of the first trial.
            measure: If it raises, the trial counts as interrupted.

        Raises:
            ConfigurationError: The file can no longer be written to.
        """
        trial = self.begin(defaults)
        try:
            outcome = measure(trial.values, lambda step, quality: self.is_worse(trial, step, quality))
        except BaseException:
            # What Ctrl-C leaves is what SIGKILL leaves, but for saying so.
            self.interrupt(trial)
            raise
        self.end(trial, outcome)

    def begin(self, defaults: Mapping[str, Any]) -> BegunTrial:
        """Choose the values of a trial; several may be under way at a time.

        Args:
            defaults: The values of the first trial.

        Raises:
            ConfigurationError: As for all that follows: the file can no longer be written to.
        """
        with self._written():
            trial = self._next_trial(defaults)
            return BegunTrial(trial, {one.name: _suggest(trial, one) for one in self._searched})

    def is_worse(self, trial: BegunTrial, step: int, quality: float) -> bool:
        """Write down the quality of a validation; return whether to give the trial up."""
        with self._written():
            trial.of_study.report(quality, step)
            return trial.of_study.should_prune()

    def end(self, trial: BegunTrial, outcome: Outcome) -> None:
        """Write down what a trial found."""
        with self._written():
            trial.of_study.set_user_attr("outcome", asdict(outcome))
            if outcome.ending == "complete":
                self._study.tell(trial.of_study, outcome.quality)
            else:
                self._study.tell(trial.of_study, state=TrialState.PRUNED)

    def interrupt(self, trial: BegunTrial) -> None:
        """Write down that a trial was interrupted: another one is drawn in its place."""
        with self._written():
            self._study.tell(trial.of_study, state=TrialState.FAIL)

    def _next_trial(self, defaults: Mapping[str, Any]) -> optuna.Trial:
        done = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        if not done and not running and not waiting:
            self._study.enqueue_trial(dict(defaults), user_attrs={"is_default": True})
        drawn = np.random.SeedSequence([self._seed, len(done) + len(running)]).generate_state(1)
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=MOST_RANDOM,
            seed=int(drawn[0]),
            # Those under way count as bad, or all would try the same.
            constant_liar=bool(running),
        )
        return self._study.ask()

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except (StorageInternalError, SQLAlchemyError) as error:
            raise ConfigurationError(f"the study can no longer be written: {_first_line(error)}") from error


@contextmanager
def open_study(
    path: Path, searched: Sequence[Searched], holds_for: Mapping[str, Any], seed: int
) -> Iterator[OptunaStudy]:
    """Open a study, or begin one; no other process has it open meanwhile.

    A trial that a killed process left running is marked as interrupted.

    Args:
        path: The SQLite file.
        searched: What is searched.
        holds_for: What all trials of the study have in common, JSON values by name.
        seed: Of what is drawn.

    Raises:
        AnotherTraining: Another process has it open.
        ConfigurationError: The file is no study, or one of something else, or cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if path.is_dir():
        raise ConfigurationError(f"--study {path}: expected a file, got a directory; name a file in it")
    with _locked(path):
        study, storage = _load(path)
        try:
            _require_same(study, path, json.loads(json.dumps(holds_for)))
            for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
                study.tell(trial.number, state=TrialState.FAIL)
            yield OptunaStudy(study, searched, seed)
        finally:
            storage.remove_session()
            storage.engine.dispose()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(exclusive(path.with_name(f".{path.name}.lock"), wait=False))
        except BlockingIOError as error:
            raise AnotherTraining(
                f"{path}: another process searches with this study; wait for it to end, or name another "
                "file with --study"
            ) from error
        except OSError as error:
            raise ConfigurationError(f"--study {path}: cannot be written: {error.strerror}") from error
        yield


def _load(path: Path) -> tuple[optuna.Study, RDBStorage]:
    try:
        # Escaped, because a path may have what separates the parts of an address.
        storage = RDBStorage(f"sqlite:///{quote(str(path.absolute()))}")
        study = optuna.create_study(
            storage=storage,
            study_name=_NAME,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(_UNPRUNED_TRIALS, _UNPRUNED_VALIDATIONS),
            load_if_exists=True,
        )
    except (SQLAlchemyError, StorageInternalError, RuntimeError, sqlite3.Error) as error:
        raise ConfigurationError(
            f"--study {path}: expected a study that `tune` wrote, or a new file: {_first_line(error)}"
        ) from error
    return study, storage


def _require_same(study: optuna.Study, path: Path, holds_for: dict[str, Any]) -> None:
    known = study.user_attrs
    if not known and not study.get_trials(deepcopy=False):
        for name, value in holds_for.items():
            study.set_user_attr(name, value)
        return
    different = [name for name, value in holds_for.items() if known.get(name) != value]
    if different:
        raise ConfigurationError(
            f"--study {path}: its trials are of another {', '.join(different).replace('_', ' ')}, and do not "
            "compare with those of this command; name another file"
        )


def _suggest(trial: optuna.Trial, one: Searched) -> float | int:
    if one.step is not None:
        return trial.suggest_int(one.name, int(one.low), int(one.high), step=one.step, log=one.log)
    return trial.suggest_float(one.name, one.low, one.high, log=one.log)


def _record(trial: FrozenTrial) -> TrialRecord | None:
    is_default = bool(trial.user_attrs.get("is_default"))
    curve = [value for _, value in sorted(trial.intermediate_values.items())]
    if trial.state == TrialState.FAIL:
        return TrialRecord(trial.number, trial.params, is_default, Outcome("interrupted"), curve)
    if trial.state not in {TrialState.COMPLETE, TrialState.PRUNED}:
        return None
    outcome = Outcome(**trial.user_attrs["outcome"])
    return TrialRecord(trial.number, trial.params, is_default, outcome, curve)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
