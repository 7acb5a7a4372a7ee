"""Quickstart: user and title embeddings, and a brute-force index of the titles, exported and queried."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle.saved_model import save
from training.cli.progress import stage
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.experiments.outcome import Figure, Outcome
from training.experiments.rating_rows import TutorialData
from training.experiments.running import describe, fit_in_stage
from training.experiments.tutorial_fitting import FittedTutorial
from training.export.artifacts import writing
from training.export.saved_model import ExactTopK

CONFIG = TrainingConfig(
    embedding_dimension=32,
    time_buckets=0,
    use_content=False,
    batch_size=8_192,
    epochs=3,
    learning_rate=0.1,
    retrieval_weight=1.0,
    rating_weight=0.0,
)

USER_ID = "42"
_SHOWN = 10


class BruteForceIndex(ExactTopK):
    """`serving_default` of a model whose queries consist of the user id."""

    def __init__(self, table: RatingsTable, data: TutorialData, fitted: FittedTutorial) -> None:
        candidates: NDArray[np.float32] = fitted.model.embed_titles().numpy()
        super().__init__(
            fitted.model,
            user_ids=table.user_ids,
            candidates=candidates,
            movie_ids=data.titles.movie_ids,
            titles=data.titles.names,
        )
        self._query_tower = fitted.model.query_tower

    def embed_users(self, user_rows: tf.Tensor) -> tf.Tensor:
        """Embed users, float32 `[B, D]`."""
        return self._query_tower({"user_rows": user_rows})


def run(table: RatingsTable, config: TrainingConfig, output: Path | None = None) -> Outcome:
    """Train, export into `output` (None: a temporary directory), load the export and query it."""
    data = TutorialData.from_table(table, 1)
    fitted = fit_in_stage("Train", data, config, reshuffled=False)
    place = tempfile.TemporaryDirectory() if output is None else nullcontext(str(output))
    with place as directory, stage("Export and query", 2) as running:
        model = Path(directory) / "quickstart-model"
        index = BruteForceIndex(table, data, fitted)
        with writing(model):
            save(index, model, {"serving_default": index.top_k})
        running.advance()
        answer = tf.saved_model.load(str(model)).signatures["serving_default"](
            user_ids=tf.constant([USER_ID])
        )
        running.advance()
    titles = [title.decode() for title in answer["titles"].numpy()[0, :_SHOWN].tolist()]
    scores = answer["scores"].numpy()[0, :_SHOWN].tolist()
    # The tutorial of this model states no figure; it is the multitask one without its rating task.
    accuracy = Figure("top-100 accuracy", fitted.final["top_100_accuracy"], "0.235", 0.229, 0.235, 0.015)
    return Outcome(
        "quickstart",
        f"Quickstart retrieval, {config.epochs} epochs, random split",
        [accuracy],
        [f"Recommendations for user {USER_ID}, by serving_default of the SavedModel:"]
        + [
            f"{at:>4}. {title}  {score:.3f}"
            for at, (title, score) in enumerate(zip(titles, scores, strict=True), 1)
        ],
        describe(table, config)
        | {
            "models": {"quickstart": fitted.to_document()},
            "user_id": USER_ID,
            "recommended": [
                {"title": title, "score": score} for title, score in zip(titles, scores, strict=True)
            ],
        },
        {},
    )
