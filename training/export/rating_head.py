"""What remains of the rating task once a query has been read: arrays that the service multiplies itself."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from service.bundle.rating_head import RatingHead
from training.model.trained_model import TrainedModel


def write_rating_head(directory: Path, trained: TrainedModel) -> None:
    """Write the rating head from the very layers that `predict_rating` runs.

    Args:
        directory: Of the bundle.
        trained: The model.
    """
    task = trained.model.rating_task
    rows = tf.range(trained.vocabulary.num_candidates)
    mean, spread = task.mean_and_spread
    RatingHead.write(
        directory,
        vectors=task.vectors_of(tf.constant(trained.candidate_embeddings), rows).numpy(),
        biases=trained.movie_biases,
        confidences=task.candidate_confidence(rows).numpy(),
        mean_stars=mean,
        spread_stars=spread,
        layers=[
            (kernel, bias) for kernel, bias in (layer.get_weights() for layer in task.correction_layers())
        ],
    )
