"""Train a tutorial's model with progress on the terminal."""

from __future__ import annotations

from typing import Any

from training.cli.progress import stage
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.experiments.rating_rows import TutorialData
from training.experiments.tutorial_fitting import VALIDATION_EPOCHS, FittedTutorial, fit_tutorial

# Validations that are printed where the output is no terminal.
_MILESTONES = 10


def fit_in_stage(
    name: str, data: TutorialData, config: TrainingConfig, *, reshuffled: bool = True
) -> FittedTutorial:
    """Train as a stage that shows the loss and the latest validation; see `fit_tutorial`."""
    between = max(1, config.epochs // VALIDATION_EPOCHS // _MILESTONES) * VALIDATION_EPOCHS
    latest: dict[str, float] = {}
    with stage(name, config.epochs) as running:

        def show(epoch: int, loss: float, validated: dict[str, float] | None) -> None:
            latest.update(validated or {})
            parts = [f"epoch {epoch}", f"loss {loss:.3f}"]
            if "top_100_accuracy" in latest:
                parts.append(f"top-100 accuracy {latest['top_100_accuracy']:.4f}")
            if config.rating_weight:
                parts += [f"RMSE {latest['rmse']:.3f}"] if latest else []
            running.advance(
                "  ".join(parts),
                milestone=validated is not None and (epoch % between == 0 or epoch == config.epochs),
            )

        return fit_tutorial(data, config, show, reshuffled=reshuffled)


def describe(table: RatingsTable, config: TrainingConfig) -> dict[str, Any]:
    """Describe data and hyper-parameters as JSON values."""
    return {
        "dataset": table.name,
        "source": table.source,
        "sha256": table.sha256,
        "hyperparameters": config.to_document(),
    }
