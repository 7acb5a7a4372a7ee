"""Show the figures of a fit while it runs, and log them for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from training.cli.event_log import event_log
from training.cli.progress import Stage, stage
from training.config import TrainingConfig
from training.model.epoch_record import VALIDATED_EVERY, OnEpoch

_SHORT = {"hit_rate_at_100": "HR@100", "ndcg_at_10": "NDCG@10", "rmse": "RMSE"}


@contextmanager
def fit_stage(
    name: str, config: TrainingConfig, tensorboard: Path | None, *, then: int = 0
) -> Iterator[tuple[Stage, OnEpoch]]:
    """Show a stage that advances with each epoch of a fit.

    Args:
        name: Of the stage, and of the run in TensorBoard's directory.
        config: Of the fit.
        tensorboard: Where runs are logged; None: nowhere.
        then: Steps of the stage after the last epoch.

    Yields:
        The stage, and the `on_epoch` of `fit_model`.
    """
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ} {name}, seed {config.seed}".replace("/", "-")
    with stage(name, config.epochs + then) as running, event_log(tensorboard, run) as log:
        validated, held_out = 0, ""

        def on_epoch(epoch: int, figures: dict[str, float]) -> None:
            nonlocal validated, held_out
            log(epoch, figures)
            losses = {key: value for key, value in figures.items() if key.endswith("loss")}
            measured = {key: value for key, value in figures.items() if key.startswith("held_out_")}
            if measured:
                validated, held_out = epoch, _format(measured)
            elif epoch < validated:  # another training within the stage
                validated, held_out = 0, ""
            note = f"epoch {epoch} of {config.epochs}: {_format(losses)}"
            if held_out:
                note += f"; held out{'' if measured else f' after epoch {validated}'}: {held_out}"
            running.advance(note, milestone=bool(measured) or epoch % VALIDATED_EVERY == 0)

        yield running, on_epoch


def _format(figures: dict[str, float]) -> str:
    names = [name.removesuffix("_loss").removeprefix("held_out_") for name in figures]
    return "  ".join(
        f"{_SHORT.get(name, name)} {value:.3f}" for name, value in zip(names, figures.values(), strict=True)
    )
