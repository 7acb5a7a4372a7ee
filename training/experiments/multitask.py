"""Multitask: one model for ratings and retrieval, beside one for each alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.experiments.outcome import Figure, Outcome
from training.experiments.rating_rows import TutorialData
from training.experiments.running import describe, fit_in_stage
from training.experiments.tutorial_fitting import FittedTutorial

CONFIG = TrainingConfig(
    embedding_dimension=32,
    time_buckets=0,
    use_content=False,
    rating_layers=(256, 128),
    batch_size=8_192,
    epochs=3,
    learning_rate=0.1,
    retrieval_weight=1.0,
    rating_weight=1.0,
)
"""The joint model."""

USER_ID, TITLE = "42", "Dances with Wolves (1990)"

# By name: weights of rating and retrieval, then published and TFRS 0.7.7's accuracy, and the same of RMSE.
_REFERENCE = {
    "rating only": ((1.0, 0.0), (0.060, 0.059), (1.113, 1.111)),
    "retrieval only": ((0.0, 1.0), (0.235, 0.229), (3.773, 3.688)),
    "joint": ((1.0, 1.0), (0.235, 0.232), (1.131, 1.110)),
}
_ACCURACY_TOLERANCE, _STARS_TOLERANCE = 0.015, 0.05
# A head that was never trained predicts from its initial weights.
_UNTRAINED_STARS_TOLERANCE = 0.15


def run(table: RatingsTable, config: TrainingConfig, seeds: int) -> Outcome:
    """Train each of the three models with several seeds; `config` is `CONFIG` or near it, of the first seed.

    After 3 epochs of 10 steps the joint model's RMSE still depends on the seed as much as the band is wide:
    only the mean over seeds is stable.
    """
    data = TutorialData.from_table(table, max(1, config.time_buckets))
    fitted: dict[str, list[FittedTutorial]] = {}
    figures = []
    for name, ((rating_weight, retrieval_weight), accuracy, stars) in _REFERENCE.items():
        weighted = replace(config, rating_weight=rating_weight, retrieval_weight=retrieval_weight)
        fitted[name] = [
            # As published: the batches are shuffled once.
            fit_in_stage(f"Train {name}, seed {seed}", data, replace(weighted, seed=seed), reshuffled=False)
            for seed in range(config.seed, config.seed + seeds)
        ]
        stars_tolerance = _STARS_TOLERANCE if rating_weight else _UNTRAINED_STARS_TOLERANCE
        figures += [
            _figure(f"{name}: accuracy", fitted[name], "top_100_accuracy", accuracy, _ACCURACY_TOLERANCE),
            _figure(f"{name}: RMSE", fitted[name], "rmse", stars, stars_tolerance),
        ]
    ratings = [rating_of(table, data, one, USER_ID, TITLE) for one in fitted["joint"]]
    known = [stars for stars in ratings if stars is not None]
    return Outcome(
        "multitask",
        f"Top-100 accuracy and RMSE of multitask, {config.epochs} epochs, random split, {seeds} seeds",
        figures,
        [_spread(name, fitted[name], "rmse", "RMSE") for name in fitted]
        + [
            f"The joint model's rating for user {USER_ID} and {TITLE}: {stars:.2f} with seed {seed} "
            "(published: 3.40)"
            for seed, stars in enumerate(known, config.seed)
        ],
        describe(table, config)
        | {
            "models": {name: [one.to_document() for one in of_name] for name, of_name in fitted.items()},
            "rating": {"user_id": USER_ID, "title": TITLE, "stars": ratings},
        },
        {},
    )


def rating_of(
    table: RatingsTable, data: TutorialData, fitted: FittedTutorial, user_id: str, title: str
) -> float | None:
    """Predict stars, not clipped; None where the data has no such user or title."""
    if user_id not in table.user_ids or title not in data.titles.names:
        return None
    return fitted.rate(table.user_ids.index(user_id), data.titles.names.index(title))


def _figure(
    name: str,
    fitted: list[FittedTutorial],
    measure: str,
    reference: tuple[float, float],
    tolerance: float,
) -> Figure:
    published, tfrs = reference
    measured = float(np.mean([one.final[measure] for one in fitted]))
    return Figure(name, measured, f"{published:.3f}", tfrs, published, tolerance)


def _spread(name: str, fitted: list[FittedTutorial], measure: str, title: str) -> str:
    values = [one.final[measure] for one in fitted]
    return f"{name}: {title} from {min(values):.3f} to {max(values):.3f} over the seeds"
