"""Deep retrieval: does a stack of dense layers on each tower find more?"""

from __future__ import annotations

from dataclasses import replace

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

# Published in the tutorial, reached by TFRS 0.7.7, and the middle between them.
_REFERENCE = {
    (32,): ("0.27", 0.268, 0.27),
    (64, 32): ("0.29", 0.302, 0.295),
    (128, 64, 32): ("0.26 to 0.27", 0.282, 0.275),
}
_TOLERANCE = 0.02


def run(table: RatingsTable, config: TrainingConfig) -> Outcome:
    """Train the three models one after the other; `config` is `CONFIG` or near it."""
    data = TutorialData.from_table(table, config.time_buckets)
    fitted: dict[str, FittedTutorial] = {}
    figures = []
    for layers, (published, tfrs, expected) in _REFERENCE.items():
        name = f"layers {', '.join(map(str, layers))}"
        fitted[name] = fit_in_stage(f"Train {name}", data, replace(config, layers=layers))
        measured = fitted[name].final["top_100_accuracy"]
        figures.append(Figure(name, measured, published, tfrs, expected, _TOLERANCE))
    curves = {
        name: {epoch: measures["top_100_accuracy"] for epoch, measures in one.validated.items()}
        for name, one in fitted.items()
    }
    epochs = list(next(iter(curves.values())))
    chart = Chart(
        "Top-100 accuracy on the held-out ratings",
        "epoch",
        [str(epoch) for epoch in epochs],
        {name: list(curve.values()) for name, curve in curves.items()},
    )
    best = {name: max(curve, key=lambda epoch: curve[epoch]) for name, curve in curves.items()}
    return Outcome(
        "depth",
        f"Top-100 accuracy of deep retrieval, {config.epochs} epochs, random split",
        figures,
        [f"{name}: best at epoch {epoch} with {curves[name][epoch]:.4f}" for name, epoch in best.items()],
        describe(table, config) | {"models": {name: one.to_document() for name, one in fitted.items()}},
        {"accuracy": chart},
    )
