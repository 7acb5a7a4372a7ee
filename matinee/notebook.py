"""What the commands do, as functions for notebooks and programs: on the same ratings, by the same code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matinee.fitted_model import FittedModel
from matinee.opened_bundle import OpenedBundle
from training.cli.data_loading import load
from training.cli.given_hyperparameters import given_config
from training.cli.quiet_tensorflow import import_tensorflow_quietly
from training.config import TrainingConfig
from training.data.reading_options import ReadingOptions
from training.data.sources import is_path
from training.data.table import RatingsTable


def load_ratings(data: str | Path = "auto", *, dataset: str = "100k", **reading: Any) -> RatingsTable:
    """Load ratings as `matinee fit --data` does, and print how they were understood.

    Args:
        data: `auto` or `tfds` for MovieLens, or the path of a file, directory or archive.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        reading: Fields of `ReadingOptions`, such as `columns={"rating": "stars"}`.

    Raises:
        DataError: The files are wrong; names file, line and reason.
        ConfigurationError: A reading option cannot be meant.
        SourceError: MovieLens can be neither found nor downloaded.
    """
    if not is_path(str(data)):
        import_tensorflow_quietly()  # TensorFlow Datasets imports it
    return load(str(data), dataset, ReadingOptions(**reading))


def hyperparameters(
    preset: str = "forward", *, file: str | Path | None = None, **values: Any
) -> TrainingConfig:
    """Set hyper-parameters, as `--preset`, `--config` and `--set` do.

    Args:
        preset: `forward` predicts what comes next, `interpolation` what was hidden at random.
        file: TOML or JSON.
        values: By name, such as `learning_rate=0.003`; `matinee hyperparameters` lists them.

    Raises:
        ConfigurationError: A name or value cannot be used.
    """
    config = given_config(preset, None if file is None else Path(file))
    return TrainingConfig.from_document(config.to_document() | values)


def fit(
    ratings: RatingsTable,
    config: TrainingConfig | None = None,
    *,
    measures: dict[str, Any] | None = None,
) -> FittedModel:
    """Train on every rating, as long as a validation part of them says.

    Args:
        ratings: Of `load_ratings`.
        config: Of `hyperparameters`; None: the defaults.
        measures: Of `evaluate`, which has found out how long; None: that is found out now.

    Raises:
        TrainingDiverged: A loss is no longer a finite number.
    """
    import_tensorflow_quietly()
    from training import pipeline  # noqa: PLC0415  see `quiet_tensorflow`

    config = pipeline.with_length(ratings, config or hyperparameters(), measures)
    return FittedModel(pipeline.train(ratings, config), ratings)


def evaluate(
    ratings: RatingsTable,
    config: TrainingConfig | None = None,
    *,
    split: str = "auto",
    seeds: int = 1,
    extras: bool = False,
    artifacts: str | Path = "artifacts",
) -> dict[str, Any]:
    """Train on a part of the ratings, measure on the rest beside the baselines, and print the table.

    Args:
        ratings: Of `load_ratings`.
        config: Of `hyperparameters`; None: the defaults.
        split: `global`, `temporal`, `random`, or `auto`.
        seeds: How many trainings the mean is of.
        extras: Whether to measure cold start and the index too.
        artifacts: Where the next `matinee fit` finds what was measured.

    Returns:
        The measures by name in `model`, those of others in `baselines`, and more: see docs/evaluation.md.

    Raises:
        NothingHeldOut: The split leaves too few ratings.
    """
    import_tensorflow_quietly()
    from training import evaluation_pipeline  # noqa: PLC0415  see `quiet_tensorflow`

    return evaluation_pipeline.evaluate(
        ratings,
        ratings.name,
        config or hyperparameters(),
        split,
        Path(artifacts),
        seeds=seeds,
        extras=extras,
    )


def open_bundle(directory: str | Path) -> OpenedBundle:
    """Verify and load an exported bundle as the service does, to ask it as apps would.

    Raises:
        BundleError: Its subclass and message say which file is wrong, and how.
    """
    return OpenedBundle.open(Path(directory))
