from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training.scoring.list_scorer import ListScorer
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.scoring_run import ScoringOutcome, ScoringPlan, Threads, score_users
from training.scoring.wanted_users import WantedUsers


@pytest.fixture(scope="session")
def tiny_scored(tiny_artifacts: Path) -> ScoredBundle:
    """The bundle of `tiny_model`."""
    return ScoredBundle.open(tiny_artifacts / "tiny-1")


@pytest.fixture
def score_all(tiny_scored: ScoredBundle) -> Callable[..., ScoringOutcome]:
    """Scores all users of `tiny_scored` in parts of one, of two threads by default."""

    def run(
        output: Path,
        *,
        k: int = 5,
        users_per_part: int = 1,
        threads: int = 2,
        on_part: Callable[[int], None] = lambda _: None,
        scorer: ListScorer | None = None,
    ) -> ScoringOutcome:
        plan = ScoringPlan(k=k, users_per_part=users_per_part)
        return score_users(
            tiny_scored,
            WantedUsers.all_of(tiny_scored.histories).rows,
            output,
            plan,
            Threads(scorer or ListScorer(tiny_scored, k=k), tiny_scored, threads),
            on_part=on_part,
        )

    return run
