"""A model in memory: its recommendations, and its export as a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.bundle.golden_requests import HistoryEntry
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import DataError

if TYPE_CHECKING:  # imports TensorFlow
    from training.model.trained_model import TrainedModel


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model and the ratings that it was trained on."""

    trained: TrainedModel
    ratings: RatingsTable

    @property
    def config(self) -> TrainingConfig:
        """The hyper-parameters, with the length of the training."""
        return self.trained.config

    @property
    def losses(self) -> dict[str, list[float]]:
        """Mean losses of each epoch, by name."""
        return self.trained.losses

    def recommend(
        self, *, user_id: str | None = None, history: Sequence[HistoryEntry] = (), k: int = 10
    ) -> list[dict[str, Any]]:
        """Recommend the best of all movies but those seen, scored one by one as golden requests are.

        Args:
            user_id: A user of the ratings.
            history: What a cold-start user has seen instead, oldest first, such as
                `[{"movie_id": "50", "rating": 5}]`; without both: what is shown to a user without any.
            k: Most movies.

        Returns:
            Movies, the best first, with the fields of an item of `POST /recommend`.

        Raises:
            DataError: The user or a movie is not among the ratings, or both arguments are given.
        """
        from training.export.golden_requests import ModelAnswers  # noqa: PLC0415  imports TensorFlow

        answers, movies = ModelAnswers(self.trained, self.ratings, k), self.ratings.movies
        row_of = {movie_id: row for row, movie_id in enumerate(movies.movie_ids)}
        if user_id is not None and history:
            raise DataError("expected user_id or history, got both; open_bundle(...).recommend takes both")
        for entry in history:
            if entry["movie_id"] not in row_of:
                raise DataError(f"history: no movie of the ratings has the id {entry['movie_id']!r}")
        if user_id is not None:
            answer = answers.known_user(self._user_row(user_id), None)
        else:
            answer = answers.cold_start_user(list(history)) if history else answers.popular()
        return [
            {
                "rank": rank,
                "movie_id": item["movie_id"],
                "title": movies.titles[row_of[item["movie_id"]]],
                "genres": list(movies.genres[row_of[item["movie_id"]]]),
                "year": int(movies.years[row_of[item["movie_id"]]]) or None,
                "score": item["score"],
                "predicted_rating": item["predicted_rating"],
            }
            for rank, item in enumerate(answer["items"], 1)
        ]

    def export(self, artifacts: str | Path = "artifacts", *, measures: dict[str, Any] | None = None) -> Path:
        """Write a bundle, verify it in fresh processes, and make it live.

        Args:
            artifacts: The directory of bundles.
            measures: Of `evaluate`, for the bundle's report and manifest.

        Returns:
            The bundle's directory.

        Raises:
            AnotherTraining: Another training holds the lock of `artifacts`.
            ExportError: The bundle cannot be written, or fails a check; CURRENT was not changed.
        """
        from training import pipeline  # noqa: PLC0415  imports TensorFlow

        return pipeline.export(self.trained, self.ratings, measures, Path(artifacts))

    def _user_row(self, user_id: str) -> int:
        try:
            return list(self.trained.histories.user_ids).index(user_id)
        except ValueError:
            raise DataError(f"no user of the ratings has the id {user_id!r}") from None
