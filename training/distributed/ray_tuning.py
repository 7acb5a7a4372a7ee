"""Run the trials of a search on a Ray cluster, several at a time, into one study."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import RayError

from training.errors import ClusterError
from training.tuning.trial_record import Outcome

if TYPE_CHECKING:  # every process of the search imports this module, and only those of trials need TensorFlow
    from training.tuning.optuna_study import BegunTrial, OptunaStudy
    from training.tuning.trial_training import TrialTraining

_MOST_LOST = 3
"""Trials lost in a row until the search ends: a machine may leave, but what kills each trial must be said."""


@dataclass(frozen=True)
class RayTrials:
    """Runs trials as tasks; a `RunTrials`. Ray is connected, see `ray_cluster`.

    The study stays with this process: tasks get values, and ask after each validation whether to give up.

    Attributes:
        count: How many trials at a time.
    """

    count: int

    def __call__(
        self,
        study: OptunaStudy,
        training: TrialTraining,
        may_begin: Callable[[int], bool],
        on_ended: Callable[[], None],
    ) -> None:
        """See `RunTrials`.

        Raises:
            ClusterError: Trials are lost one after another.
        """
        search = _Search(study, training)
        try:
            while True:
                while len(search.running) < self.count and may_begin(len(search.running)):
                    search.begin(_processors_each(self.count))
                if not search.running:
                    return
                if search.wait():
                    on_ended()
        finally:
            search.interrupt()


@dataclass
class _Search:
    """Trials under way, by the reference of what their tasks return."""

    study: OptunaStudy
    training: TrialTraining
    running: dict[Any, BegunTrial] = field(default_factory=dict)
    num_lost: int = 0

    def __post_init__(self) -> None:
        self._shared = ray.put(self.training)
        actor: Any = ray.remote(num_cpus=0)(_Questions)
        self._questions = actor.remote()
        self._next = self._questions.take.remote()

    def begin(self, processors: float) -> None:
        trial = self.study.begin(self.training.defaults())
        task = _measure.options(num_cpus=processors).remote(
            self._shared, dict(trial.values), trial.number, self._questions
        )
        self.running[task] = trial

    def wait(self) -> bool:
        """Answer a question, or take what a trial found; return whether one ended."""
        [ready], _ = ray.wait([self._next, *self.running])
        if ready not in self.running:
            self._answer(*ray.get(ready))
            self._next = self._questions.take.remote()
            return False
        trial = self.running.pop(ready)
        try:
            outcome: Outcome = ray.get(ready)
        except RayError as error:
            self.study.interrupt(trial)
            self.num_lost += 1
            if self.num_lost == _MOST_LOST:
                raise ClusterError(
                    f"{_MOST_LOST} trials were lost one after another: {_last_line(error)}; the same "
                    "command goes on after those that ended"
                ) from error
            return False
        self.num_lost = 0
        self.study.end(trial, outcome)
        return True

    def interrupt(self) -> None:
        """End what is under way; the next run draws it again."""
        for task, trial in self.running.items():
            ray.cancel(task, force=True)
            self.study.interrupt(trial)

    def _answer(self, number: int, step: int, quality: float) -> None:
        trial = next((one for one in self.running.values() if one.number == number), None)
        is_worse = trial is not None and self.study.is_worse(trial, step, quality)
        self._questions.answer.remote(number, is_worse)


class _Questions:
    """What trials ask, until it is answered."""

    def __init__(self) -> None:
        self._asked: asyncio.Queue[tuple[int, int, float]] = asyncio.Queue()
        self._answers: dict[int, asyncio.Future[bool]] = {}

    async def ask(self, number: int, step: int, quality: float) -> bool:
        """Of a trial and the quality of a validation: whether to give up."""
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._asked.put((number, step, quality))
        return await self._answers[number]

    async def take(self) -> tuple[int, int, float]:
        """Wait for the next question."""
        return await self._asked.get()

    async def answer(self, number: int, is_worse: bool) -> None:
        """Answer a trial's question."""
        self._answers.pop(number).set_result(is_worse)


# A trial that is lost is drawn again by the study, not begun again with validations that it knows.
@ray.remote(max_retries=0)
def _measure(training: TrialTraining, values: Mapping[str, Any], number: int, questions: Any) -> Outcome:
    return training.measure(
        values, lambda step, quality: bool(ray.get(questions.ask.remote(number, step, quality)))
    )


def _processors_each(count: int) -> float:
    """So that all fit at once."""
    return min(1.0, float(ray.cluster_resources().get("CPU", 1)) / count)


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
