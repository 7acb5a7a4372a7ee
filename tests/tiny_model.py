"""A model with exact arithmetic instead of learned weights, whose answers brute force reproduces.

All numbers are multiples of powers of two small enough for float32 to add without rounding, so brute force
in numpy gives the very scores that TensorFlow, Annoy's rescoring and the exact scan give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from service.bundle.golden_requests import HistoryEntry

NUM_CANDIDATES, DIMENSION, MAX_HISTORY = 240, 8, 6
FIRST_TIMESTAMP, LAST_TIMESTAMP = 1_000_000, 1_001_024
SCALE = (1.0, 5.0)
USER_IDS = ["", "42", "7", "a\0b", "ab", "é", "影", "🎬"]  # ascending by their UTF-8 bytes
MOVIE_IDS = [f"m{row}" for row in range(NUM_CANDIDATES)]
MOVIE_IDS[5:8] = ["", "🎬", "a\0b"]
TWIN_TITLE, TWIN_ROWS = "Twins (1988)", (10, 20, 30)  # rated once, twice and twice

Rated = tuple[int, float | None, int]
"""Candidate row, stars, Unix seconds."""
Ranked = list[tuple[int, float]]
"""Candidate rows with their scores, best first."""


@dataclass(frozen=True)
class TinyModel:
    """The content of the tiny bundle, and the model's arithmetic in numpy."""

    candidates: NDArray[np.float32]
    user_vectors: NDArray[np.float32]  # the last is of cold-start users
    time_vector: NDArray[np.float32]
    histories: dict[str, list[Rated]]

    def seen(self, user_id: str | None, history: list[HistoryEntry]) -> list[Rated]:
        sent = [(MOVIE_IDS.index(entry["movie_id"]), entry["rating"], NO_TIMESTAMP) for entry in history]
        last = [each for at, each in enumerate(sent) if each[0] not in [row for row, _, _ in sent[at + 1 :]]]
        stored = self.histories.get(user_id, []) if user_id is not None else []
        return [each for each in stored if each[0] not in [row for row, _, _ in last]] + last

    def embed(self, user_id: str | None, seen: list[Rated], timestamp: int | None) -> NDArray[np.float64]:
        """Add user vector, time, and the history weighted by rating; stored movies count half."""
        known = user_id in self.histories
        query = self.user_vectors[USER_IDS.index(user_id) if known and user_id is not None else -1].astype(
            float
        )
        if timestamp is not None:
            moment = min(max(timestamp, FIRST_TIMESTAMP), LAST_TIMESTAMP) - FIRST_TIMESTAMP
            query = query + moment / 1024 * self.time_vector
        for row, stars, seconds in seen[-MAX_HISTORY:]:
            weight = 1.0 if stars is None else (stars - 3) / 4
            query = query + weight * (1.0 if seconds == NO_TIMESTAMP else 0.5) * self.candidates[row]
        return np.asarray(query)

    def recommend(
        self,
        user_id: str | None = None,
        history: list[HistoryEntry] | None = None,
        timestamp: int | None = None,
        *,
        exclude_seen: bool = True,
    ) -> Ranked:
        """Return all allowed candidates with scores, best first, by brute force."""
        seen = self.seen(user_id, history or [])
        scores = self.candidates @ self.embed(user_id, seen, timestamp)
        excluded = {row for row, _, _ in seen} if exclude_seen else set()
        rows = [row for row in range(NUM_CANDIDATES) if row not in excluded]
        return sorted(((row, float(scores[row])) for row in rows), key=lambda pair: (-pair[1], pair[0]))

    def place(self, year: int, num_genres: int) -> NDArray[np.float32]:
        """Embed a movie that is not in the bundle: as that of its year, and a little more for each genre."""
        placed: NDArray[np.float32] = self.candidates[year % NUM_CANDIDATES].copy()
        placed[-1] += num_genres / 16
        return placed

    def num_ratings(self, row: int) -> int:
        return sum(row == rated for history in self.histories.values() for rated, _, _ in history)

    def popular(self) -> Ranked:
        """Return all candidates with the share of users who rated them, most rated first."""
        shares = [(row, self.num_ratings(row) / len(USER_IDS)) for row in range(NUM_CANDIDATES)]
        return sorted(shares, key=lambda pair: (-pair[1], pair[0]))

    def stars(
        self,
        row: int,
        user_id: str | None = None,
        history: list[HistoryEntry] | None = None,
        timestamp: int | None = None,
    ) -> float:
        score = self.candidates[row] @ self.embed(user_id, self.seen(user_id, history or []), timestamp)
        return float(min(max(3 + row / 512 + score / 16, SCALE[0]), SCALE[1]))


def watches_of(model: TinyModel) -> TinyModel:
    """The same without ratings and times."""
    histories: dict[str, list[Rated]] = {
        user_id: [(row, None, NO_TIMESTAMP) for row, _, _ in history]
        for user_id, history in model.histories.items()
    }
    return replace(model, histories=histories)


def unrated(history: list[HistoryEntry]) -> list[HistoryEntry]:
    """The same movies without ratings."""
    return [{"movie_id": entry["movie_id"], "rating": None} for entry in history]


def title_of(row: int) -> str:
    return TWIN_TITLE if row in TWIN_ROWS else f"Movie {row} ({1900 + row})"


def display_title_of(row: int) -> str:
    if row in TWIN_ROWS:
        return TWIN_TITLE
    return f"Movie {row} ({1900 + row})" if row % 7 == 0 else f"Movie {row}"  # every seventh has no year


def make_tiny_model() -> TinyModel:
    random = np.random.default_rng(7)
    candidates = (random.integers(-4, 5, (NUM_CANDIDATES, DIMENSION)) / 2).astype(np.float32)
    user_vectors = random.integers(-2, 3, (len(USER_IDS) + 1, DIMENSION)).astype(np.float32)
    time_vector = random.integers(-2, 3, DIMENSION).astype(np.float32)
    ordinary = [row for row in range(NUM_CANDIDATES) if row not in TWIN_ROWS]
    twins = {0: [20], 1: [20], 2: [30], 3: [30], 4: [10]}
    histories: dict[str, list[Rated]] = {}
    for user_row, user_id in enumerate(USER_IDS):
        rows = [*random.choice(ordinary, 20 + user_row, replace=False).tolist(), *twins.get(user_row, [])]
        stars = random.integers(1, 6, len(rows)).tolist()
        seconds = sorted(random.integers(FIRST_TIMESTAMP, LAST_TIMESTAMP + 1, len(rows)).tolist())
        histories[user_id] = list(zip(rows, map(float, stars), seconds, strict=True))
    return TinyModel(candidates, user_vectors, time_vector, histories)
