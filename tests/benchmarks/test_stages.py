"""`benchmarks.stages` knows every stage that the service measures."""

from dataclasses import replace
from pathlib import Path

from benchmarks.stages import STAGES
from service.batching.answering import BatchAnswerer
from service.recommending.queries import RecommendQuery
from service.recommending.recommender import Recommender
from service.telemetry.observer import Observer, Stage


class Stages(Observer):
    def __init__(self) -> None:
        self.observed: set[str] = set()

    def stage(self, stage: Stage, seconds: float) -> None:
        assert seconds >= 0
        self.observed.add(stage)


def test_every_stage_of_a_request_has_a_row(recommender: Recommender) -> None:
    observer = Stages()
    uncached = replace(recommender, cached_users=0)
    BatchAnswerer(lambda: uncached, observer)([RecommendQuery(user_id="42", k=3)])
    assert observer.observed == set(STAGES)


def test_the_page_has_the_marks_of_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page.count("benchmarks.stages -->") == 2
