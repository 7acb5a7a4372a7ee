"""Composes model, index, catalogue and histories of one bundle: numpy in, numpy out, no HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service import golden
from service.bundle import (
    CANDIDATES_FILE,
    CATALOGUE_FILE,
    GOLDEN_FILE,
    HISTORY_ARRAYS,
    INDEX_FILE,
    MODEL_DIRECTORY,
    NO_ROW,
    NO_TIMESTAMP,
    HistoryEntry,
)
from service.candidate_index import CandidateIndex, Found
from service.catalogue import Catalogue
from service.checksums import verify_files
from service.errors import BundleInconsistent, InvalidField
from service.histories import Histories, History
from service.manifest import Manifest, read_manifest
from service.queries import PredictedRating, RatingQuery, Recommendation, RecommendQuery, Source
from service.query_tower import QueryTower, TowerInput
from service.settings import Settings

_REQUIRED_FILES = {
    CANDIDATES_FILE,
    INDEX_FILE,
    CATALOGUE_FILE,
    GOLDEN_FILE,
    f"{MODEL_DIRECTORY}/saved_model.pb",
    *HISTORY_ARRAYS.values(),
}


@dataclass(frozen=True)
class Recommender:
    """One loaded bundle; its methods may be called from several threads at once."""

    manifest: Manifest
    catalogue: Catalogue
    histories: Histories
    index: CandidateIndex
    tower: QueryTower

    @classmethod
    def load(cls, bundle_directory: Path, settings: Settings) -> Recommender:
        """Verifies, loads and warms a bundle.

        Args:
            bundle_directory: `<artifacts>/<bundle_id>`.
            settings: Numbers of threads.

        Raises:
            BundleError: Its subclass and message say which file is wrong, and how.
        """
        manifest = read_manifest(bundle_directory)
        if unlisted := sorted(_REQUIRED_FILES - manifest.files.keys()):
            raise BundleInconsistent(
                f"{bundle_directory}: the manifest does not list {unlisted}; export again"
            )
        verify_files(bundle_directory, manifest)
        index = CandidateIndex(bundle_directory, manifest)
        catalogue = Catalogue.load(bundle_directory)
        if len(catalogue) != len(index):
            raise BundleInconsistent(
                f"{bundle_directory / CATALOGUE_FILE}: expected {len(index)} movies, one for each candidate, "
                f"got {len(catalogue)}; export again"
            )
        histories = Histories(bundle_directory, num_candidates=len(index))
        # TensorFlow last: whatever else is wrong shows without its seconds and its memory.
        recommender = cls(manifest, catalogue, histories, index, QueryTower(bundle_directory, settings))
        golden.replay(recommender, bundle_directory)
        return recommender

    @property
    def bundle_id(self) -> str:
        """The live bundle's name, which every answer carries."""
        return self.manifest.bundle_id

    def recommend(self, query: RecommendQuery, *, exactly: bool = False) -> Recommendation:
        """The best k candidates for one person.

        Args:
            query: Who asks, and for what.
            exactly: Whether to score every candidate instead of asking the index.

        Raises:
            UnknownMovie: The history names a movie that the bundle does not know.
            InvalidField: A rating outside the scale, or nothing that says who asks.
        """
        user_row, seen = self._person(query.user_id, query.history)
        person = self._tower_input(user_row, seen, query.timestamp)
        source: Source = "popular"
        if user_row is not None:
            source = "personalized"
        elif len(seen):
            source = "history"
        rows, scores = (
            self._most_rated(query.k)
            if source == "popular"
            else self._nearest(person, query.k, seen.rows if query.exclude_seen else seen.rows[:0], exactly)
        )
        stars = self._predict_stars(person, rows)
        return Recommendation(source=source, rows=rows, scores=scores, predicted_ratings=stars)

    def predict_rating(self, query: RatingQuery) -> PredictedRating:
        """The stars that one person would give one movie.

        Raises:
            UnknownMovie: The bundle does not know the movie, or one of the history.
            InvalidField: A rating outside the scale, nothing that says who asks, or no movie named.
        """
        if query.movie_id is not None:
            row = self.catalogue.row_of(query.movie_id)
        elif query.movie_title is not None:
            row = self.catalogue.row_of_title(query.movie_title)
        else:
            raise InvalidField("expected movie_id or movie_title, got neither", field="movie_id")
        user_row, seen = self._person(query.user_id, query.history)
        person = self._tower_input(user_row, seen, query.timestamp)
        stars = self._predict_stars(person, np.array([row], np.int32))
        return PredictedRating(row=row, stars=float(stars[0]), known_user=user_row is not None)

    def _person(self, user_id: str | None, entries: Sequence[HistoryEntry]) -> tuple[int | None, History]:
        """A person's user row, None for a stranger, and all they saw: stored, then what they sent."""
        if user_id is None and not entries:
            raise InvalidField("expected user_id or a non-empty history, got neither", field="user_id")
        sent = self._sent_history(entries)
        user_row = None if user_id is None else self.histories.user_row(user_id)
        if user_row is None:
            return None, sent
        stored = self.histories.of_user(user_row)
        if not len(sent):
            return user_row, stored
        kept = ~np.isin(stored.rows, sent.rows)
        return user_row, History(
            np.concatenate([stored.rows[kept], sent.rows]),
            np.concatenate([stored.ratings[kept], sent.ratings]),
            np.concatenate([stored.timestamps[kept], sent.timestamps]),
        )

    def _sent_history(self, entries: Sequence[HistoryEntry]) -> History:
        low, high = self.manifest.rating_scale
        ratings: dict[int, float] = {}
        for position, entry in enumerate(entries):
            row = self.catalogue.row_of(entry["movie_id"], field=f"history.{position}.movie_id")
            rating = entry["rating"]
            if rating is not None and not low <= rating <= high:
                raise InvalidField(
                    f"expected a rating from {low:g} to {high:g} stars, got {rating:g}",
                    field=f"history.{position}.rating",
                )
            ratings.pop(row, None)  # so that a movie named twice takes its last place, not its first
            ratings[row] = np.nan if rating is None else rating
        return History(
            np.fromiter(ratings.keys(), np.int32, len(ratings)),
            np.fromiter(ratings.values(), np.float32, len(ratings)),
            np.full(len(ratings), NO_TIMESTAMP, np.int64),
        )

    def _tower_input(self, user_row: int | None, seen: History, timestamp: int | None) -> TowerInput:
        return TowerInput(
            user_row=NO_ROW if user_row is None else user_row,
            # The one moment that would read as none at all is moved by a second, 292 billion years ago.
            timestamp=NO_TIMESTAMP if timestamp is None else max(timestamp, NO_TIMESTAMP + 1),
            history=seen.last(self.manifest.max_history),
        )

    def _predict_stars(self, person: TowerInput, rows: NDArray[np.int32]) -> NDArray[np.float64]:
        """Stars for int32 `[n]` rows; clipped again, for the float32 nearest to 4.3 lies above it."""
        if not len(rows):
            return np.empty(0)
        ratings = self.tower.predict_ratings([person], rows[np.newaxis])[0]
        stars: NDArray[np.float64] = np.clip(ratings.astype(np.float64), *self.manifest.rating_scale)
        return stars

    def _most_rated(self, k: int) -> Found:
        rows = self.catalogue.popular_rows[:k]
        counts = np.array([self.catalogue.num_ratings[row] for row in rows.tolist()])
        return rows, (counts / len(self.histories)).astype(np.float32)

    def _nearest(self, person: TowerInput, k: int, excluded_rows: NDArray[np.int32], exactly: bool) -> Found:
        search = self.index.search_exactly if exactly else self.index.search
        return search(self.tower.embed([person])[0], k, excluded_rows)
