"""The tutorials' experiments on real data, compiled as they are run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.data.sources import load_ratings
from training.experiments import depth
from training.experiments.multitask import CONFIG as MULTITASK
from training.experiments.rating_rows import TutorialData
from training.experiments.tutorial_fitting import fit_tutorial

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_retrieval_alone_reaches_the_published_accuracy_in_three_epochs() -> None:
    data = TutorialData.from_table(load_ratings("auto", "100k"), 1)
    assert (len(data.titles), len(data.train), len(data.test)) == (1_664, 80_000, 20_000)
    fitted = fit_tutorial(data, replace(MULTITASK, rating_weight=0.0), reshuffled=False)
    assert fitted.final["top_100_accuracy"] == pytest.approx(0.235, abs=0.015)


def test_deep_retrieval_is_near_its_final_accuracy_after_sixty_epochs() -> None:
    data = TutorialData.from_table(load_ratings("auto", "100k"), depth.CONFIG.time_buckets)
    fitted = fit_tutorial(data, replace(depth.CONFIG, layers=(32,), epochs=60))
    assert fitted.final["top_100_accuracy"] == pytest.approx(0.27, abs=0.03)
