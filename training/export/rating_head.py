"""What remains of the rating task once a query has been read: arrays that the service multiplies itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import RATING_ARRAYS, RATING_HEAD_FILE
from training.model.trained_model import TrainedModel


def write_rating_head(directory: Path, trained: TrainedModel) -> None:
    """Writes the files that `service.bundle` describes, from the very layers that `predict_rating` runs.

    Args:
        directory: Of the bundle.
        trained: The model.
    """
    task = trained.model.rating_task
    rows = tf.range(trained.vocabulary.num_candidates)
    arrays: dict[str, NDArray[np.float32]] = {
        "vectors": task.project(tf.constant(trained.candidate_embeddings)).numpy(),
        "biases": trained.movie_biases,
        "confidences": task.candidate_confidence(rows).numpy(),
    }
    for name, array in arrays.items():
        path = directory / RATING_ARRAYS[name]
        path.parent.mkdir(exist_ok=True)
        np.save(path, array.astype(np.float32), allow_pickle=False)
    mean, spread = task.mean_and_spread
    layers = [
        {"kernel": kernel.tolist(), "bias": bias.tolist()}
        for kernel, bias in (layer.get_weights() for layer in task.correction_layers())
    ]
    document: dict[str, Any] = {"mean_stars": mean, "spread_stars": spread, "layers": layers}
    text = json.dumps(document, allow_nan=False)
    (directory / RATING_HEAD_FILE).write_text(f"{text}\n", encoding="utf-8")
