"""Deep retrieval: does a stack of dense layers on each tower find more?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.experiments.outcome import Figure, Outcome
from training.experiments.rating_rows import TutorialData
from training.experiments.running import describe, fit_in_stage
from training.experiments.tutorial_fitting import FittedTutorial
from training.report.charts import Chart

EPOCHS = 300

CONFIG = TrainingConfig(
    embedding_dimension=32,
    time_buckets=1_000,
    use_content=True,
    max_title_words=10_000,
    batch_size=2_048,
    epochs=EPOCHS,
    learning_rate=0.1,
    retrieval_weight=1.0,
    rating_weight=0.0,
)
"""All but the layers."""

# Published in the tutorial; reached by TFRS 0.7.7, the middle of the band (docs/experiments.md: one run, two
# runs, one run); half the width of the band, about twice the standard error of a mean of three runs.
_REFERENCE = {
    (32,): ("0.27", 0.268, 0.01),
    (64, 32): ("0.29", 0.292, 0.01),
    (128, 64, 32): ("0.26 to 0.27", 0.282, 0.01),
}
_MEASURE = "top_100_accuracy"


def run(table: RatingsTable, config: TrainingConfig, seeds: int) -> Outcome:
    """Train each of the three models with several seeds; `config` is `CONFIG` or near it, of the first seed.

    The first steps at this learning rate are chaotic, and runs differ by up to 0.016 to their end: one seed
    does not show the order of the models.
    """
    data = TutorialData.from_table(table, config.time_buckets)
    fitted: dict[str, list[FittedTutorial]] = {}
    figures = []
    for layers, (published, tfrs, tolerance) in _REFERENCE.items():
        name = f"layers {', '.join(map(str, layers))}"
        fitted[name] = [
            fit_in_stage(f"Train {name}, seed {seed}", data, replace(config, layers=layers, seed=seed))
            for seed in range(config.seed, config.seed + seeds)
        ]
        measured = float(np.mean([one.final[_MEASURE] for one in fitted[name]]))
        figures.append(Figure(name, measured, published, tfrs, tfrs, tolerance))
    epochs = list(next(iter(fitted.values()))[0].validated)
    curves = {
        name: [float(np.mean([one.validated[epoch][_MEASURE] for one in of_name])) for epoch in epochs]
        for name, of_name in fitted.items()
    }
    chart = Chart(
        "Top-100 accuracy on the held-out ratings, mean of the seeds",
        "epoch",
        [str(epoch) for epoch in epochs],
        curves,
    )
    return Outcome(
        "depth",
        f"Top-100 accuracy of deep retrieval, {config.epochs} epochs, random split, {seeds} seeds",
        figures,
        [_spread(name, of_name) for name, of_name in fitted.items()],
        describe(table, config)
        | {"models": {name: [one.to_document() for one in of_name] for name, of_name in fitted.items()}},
        {"accuracy": chart},
    )


def _spread(name: str, fitted: list[FittedTutorial]) -> str:
    values = ", ".join(f"{one.final[_MEASURE]:.4f}" for one in fitted)
    return f"{name}: {values} by seed"
