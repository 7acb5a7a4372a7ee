"""Options that commands share: their values and their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Dataset(StrEnum):
    """MovieLens versions of TensorFlow Datasets."""

    ML_100K = "100k"
    ML_1M = "1m"
    LATEST_SMALL = "latest-small"
    ML_20M = "20m"
    ML_25M = "25m"


class Split(StrEnum):
    """How ratings are held out; `training.data.splits`."""

    AUTO = "auto"
    GLOBAL = "global"
    TEMPORAL = "temporal"
    RANDOM = "random"


class Evaluation(StrEnum):
    """The split to measure on before the export, or none."""

    AUTO = "auto"
    GLOBAL = "global"
    TEMPORAL = "temporal"
    RANDOM = "random"
    NONE = "none"


class Index(StrEnum):
    """What finds candidates; `service.bundle.index_description.Backend`."""

    ANNOY = "annoy"
    USEARCH = "usearch"
    FAISS = "faiss"


class Preset(StrEnum):
    """What the model is trained for; `training.config.PRESETS` has the hyper-parameters."""

    FORWARD = "forward"
    INTERPOLATION = "interpolation"


Data = Annotated[
    str, typer.Option(metavar="SOURCE", help="auto, tfds, or the path of a file, directory or archive.")
]
Store = Annotated[
    str | None,
    typer.Option(
        metavar="PATH_OR_URL",
        envvar="MATINEE_STORE",
        callback=lambda store: None if store == "off" else store,
        help="The service's store of feedback: what was posted counts too, who was forgotten is left out; "
        "off for none. A password belongs into MATINEE_STORE_PASSWORD.",
    ),
]
Version = Annotated[Dataset, typer.Option(help="The MovieLens version that auto and tfds mean.")]
Purpose = Annotated[
    Preset, typer.Option(help="forward: what comes next; interpolation: what was hidden at random.")
]
Layers = Annotated[
    str | None, typer.Option(metavar="64,32", help="Dense layers that end each tower; '' for none.")
]
Weight = Annotated[float | None, typer.Option(min=0)]
Epochs = Annotated[int | None, typer.Option(min=1, help="Passes over all users.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Hyper-parameters as TOML (.toml), or JSON, as `tune` writes; other options override them.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A hyper-parameter, such as learning_rate=0.003 or layers=64,32; may be given repeatedly. "
        "`matinee hyperparameters` lists them.",
    ),
]
Artifacts = Annotated[
    Path, typer.Option(help="The directory of bundles and of what `evaluate` measured for the next report.")
]
ArtifactsOrUrl = Annotated[
    str,
    typer.Option(
        metavar="PATH",
        help="The directory of bundles and of what `evaluate` measured, or s3://bucket/prefix to publish in.",
    ),
]
TensorBoard = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Where to write TensorBoard logs: losses, held-out figures, rate."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Fixes weights and every random draw.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes on a Ray cluster; without, this process alone and no Ray."),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="The cluster's head, or auto for the cluster of this machine; by default one is started here.",
    ),
]

DEFAULT_ARTIFACTS = Path("artifacts")
