from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import two_clusters

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.distributed.ray_cluster import ray_cluster
from training.errors import ClusterError
from training.tuning.optuna_study import open_study
from training.tuning.search_space import Searched
from training.tuning.trial_record import Outcome, Trials
from training.tuning.tuning import tune

TINY = TrainingConfig(epochs=2, rating_dimension=2, batch_size=64, max_history=64, time_buckets=20)
SEARCHED = (Searched(name="learning_rate", low=0.001, high=0.1, log=True, reason="a test"),)
DEFAULTS = {"learning_rate": 0.003}

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]


@pytest.fixture(scope="module", autouse=True)
def cluster(ray_address: str) -> Iterator[None]:
    from ray import cloudpickle  # noqa: PLC0415  seconds

    # The processes of the cluster cannot import this module.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with ray_cluster(ray_address, processors=3):
        yield


class Arithmetic:
    """In place of a training: larger rates are worse, which shows from the first validation on."""

    def defaults(self) -> Mapping[str, Any]:
        return DEFAULTS

    def measure(self, values: Mapping[str, Any], give_up: Any) -> Outcome:
        quality = -values["learning_rate"]
        for step in range(6):
            if give_up(step, quality):
                return Outcome("stopped", quality)
        return Outcome("complete", quality, {"rmse": -quality}, 0.5, 7, 1.0)


class Killed(Arithmetic):
    """Ends its process instead, from some number of trials on."""

    def measure(self, values: Mapping[str, Any], give_up: Any) -> Outcome:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().measure(values, give_up)


def search(path: Path, training: Arithmetic, wanted: int, count: int = 3) -> Trials:
    from training.distributed.ray_tuning import RayTrials  # noqa: PLC0415  # imports Ray

    with open_study(path, SEARCHED, {"data": "abc"}, 1) as study:
        ended = len(study.trials().ended)
        under_way = []

        def may_begin(num_running: int) -> bool:
            under_way.append(num_running)
            return len(study.trials().ended) + num_running < wanted

        RayTrials(count)(study, training, may_begin, lambda: None)  # type: ignore[arg-type]  # all it needs
        assert max(under_way) == min(count, wanted - ended + 1) - 1
        return study.trials()


def test_trials_run_at_a_time_into_one_study(tmp_path: Path) -> None:
    trials = search(tmp_path / "study.db", Arithmetic(), 12)
    assert [one.number for one in trials.records] == list(range(12))
    assert trials.records[0].is_default
    rates = [one.parameters["learning_rate"] for one in trials.records]
    assert len(set(rates)) == 12
    assert trials.count("complete") + trials.count("stopped") == 12
    # The median of others is asked: what is worse from the first validation on does not run to its end.
    assert trials.count("stopped") > 0
    assert trials.complete[0].parameters["learning_rate"] == min(
        one.parameters["learning_rate"] for one in trials.complete
    )


def test_a_search_goes_on_with_another_number_of_workers(tmp_path: Path) -> None:
    first = search(tmp_path / "study.db", Arithmetic(), 4, count=2)
    second = search(tmp_path / "study.db", Arithmetic(), 7, count=3)
    assert list(second.records[:4]) == list(first.records)
    assert len(second.ended) == 7


def test_lost_trials_are_an_error_after_which_the_search_goes_on(tmp_path: Path) -> None:
    search(tmp_path / "study.db", Arithmetic(), 2)
    with pytest.raises(ClusterError, match="3 trials were lost one after another"):
        search(tmp_path / "study.db", Killed(), 6, count=2)
    trials = search(tmp_path / "study.db", Arithmetic(), 4)
    assert len(trials.ended) == 4
    assert trials.count("interrupted") >= 3


def test_models_are_trained_on_workers_as_here(tmp_path: Path) -> None:
    from training.distributed.ray_tuning import RayTrials  # noqa: PLC0415 imports Ray

    table = two_clusters(per_user=12)
    some: RatingsTable = table.take(np.flatnonzero(table.user_rows < 30))
    found = [
        tune(some, "100k", TINY, "temporal", tmp_path / name, objective="all", trials=1, run_trials=run)
        for name, run in (("here", None), ("there", RayTrials(1)))
    ]
    here, there = (trials.records[0] for trials in found)
    assert there.parameters == here.parameters
    assert there.outcome.figures == pytest.approx(here.outcome.figures, abs=1e-6)
    assert there.curve == pytest.approx(here.curve, abs=1e-6)
