"""Histories of ten users, and configurations that each draw one kind of training examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from synthetic_ratings import SMALL_CONFIG, Rating, table_of

from training.model.histories import Histories

NUM_MOVIES = 30
FORWARD = replace(SMALL_CONFIG, forward_share=1.0, short_share=0.0, time_dropout=0.0, batch_size=4)
INWARD = replace(FORWARD, forward_share=0.0)
BOTH = replace(FORWARD, forward_share=0.5, time_dropout=0.5)
SAMPLED = replace(BOTH, full_softmax_candidates=NUM_MOVIES - 1)


def ten_users() -> Histories:
    """Make ten users with 1 to 20 ratings each; user "1" has one. The stars identify user and movie."""
    random = np.random.default_rng(5)
    ratings: list[Rating] = []
    for user, length in enumerate([1, 1, 2, 3, 5, 8, 12, 16, 20, 20]):
        for at, movie in enumerate(random.choice(NUM_MOVIES, length, replace=False).tolist()):
            ratings.append((str(user), str(movie), stars_of(user, movie), 1_000 + 10 * at + user))
    return Histories.from_table(table_of(ratings, [str(movie) for movie in range(NUM_MOVIES)]))


def stars_of(user: int, movie: int) -> float:
    return user * 100 + movie + 0.5


def length_of(histories: Histories, user: int) -> int:
    return int(histories.offsets[user + 1] - histories.offsets[user])


def movies_of(histories: Histories, user: int) -> list[int]:
    movies: list[int] = histories.movie_rows[histories.rows_of(user)].tolist()
    return movies
