"""Small synthetic tables of ratings with a known structure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from training.config import TrainingConfig
from training.data.assembly import assemble_movies, assemble_ratings
from training.data.table import RatingsTable

NUM_USERS, PER_CLUSTER, NUM_UNRATED = 120, 40, 5
ODD_IDS = ("影", "🎬", "é", 'say "42"', "a,b", "two words", "0042", "42")
LIKED, DISLIKED = (4.0, 4.5, 5.0), (0.5, 1.0, 1.5)
FIRST_TIMESTAMP = 1_000_000_000

SMALL_CONFIG = TrainingConfig(
    seed=3,
    embedding_dimension=16,
    rating_dimension=8,
    rating_layers=(8,),
    max_history=64,
    history_scales=(5.0, 50.0),
    time_buckets=20,
    epochs=30,
    batch_size=16,
    learning_rate=0.01,
    weight_decay=0.1,
    retrieval_weight=1.0,
    rating_weight=1.0,
    forward_share=0.8,
    cut_low=0.3,
    cut_high=0.95,
    history_dropout=0.7,
    short_share=0.15,
    short_history=10,
    hidden_low=0.1,
    hidden_high=0.9,
    user_dropout=0.5,
    time_dropout=0.5,
    time_window=8,
    user_weight_power=0.5,
    empty_share=0.0,
    popularity_scale=1.0,
    factor_scale=0.0,
    added_factors=0,
    added_scale=1.0,
    history_normalization=0.0,
    movie_normalization=0.0,
    factor_regularization=1.0,
    rating_emphasis=0.0,
    movie_bias_regularization=10.0,
    user_bias_regularization=15.0,
    retrieval_share=1.0,
    rating_share=1.0,
    use_trend=False,
    uniform_negatives=0,
    full_softmax_candidates=20_000,
)
"""Learns `two_clusters` in about four seconds. Complete, so that new defaults do not change the tests."""

Rating = tuple[str, str, float, int]
"""User id, movie id, stars, Unix seconds."""


def table_of(
    ratings: Sequence[Rating],
    movie_ids: Sequence[str] = (),
    *,
    titles: Sequence[str] = (),
    genres: Sequence[Sequence[str]] = (),
    user_features: dict[str, dict[str, str]] | None = None,
) -> RatingsTable:
    """Make a table of ratings.

    Args:
        ratings: Ratings in any order.
        movie_ids: All candidates; the rated movies if empty.
        titles, genres: Titles and genres of the candidates; defaults if empty.
        user_features: Values by feature name and user id.
    """
    movie_ids = movie_ids or sorted({movie_id for _, movie_id, _, _ in ratings})
    movies = assemble_movies(
        movie_ids, titles or [f"Film {each}" for each in movie_ids], genres or [[]] * len(movie_ids)
    )
    user_ids = list(dict.fromkeys(user_id for user_id, _, _, _ in ratings))
    user_rows = {user_id: row for row, user_id in enumerate(user_ids)}
    movie_rows = {movie_id: row for row, movie_id in enumerate(movies.movie_ids)}
    return assemble_ratings(
        user_ids=user_ids,
        user_codes=np.array([user_rows[user_id] for user_id, _, _, _ in ratings]),
        movies=movies,
        movie_rows=np.array([movie_rows[movie_id] for _, movie_id, _, _ in ratings]),
        stars=np.array([stars for _, _, stars, _ in ratings], np.float32),
        timestamps=np.array([seconds for _, _, _, seconds in ratings], np.int64),
        user_features={
            name: [values.get(user_id, "") for user_id in user_ids]
            for name, values in (user_features or {}).items()
        },
        name="small",
        source="a test",
    )


def cluster_of(movie_id: str) -> str:
    """Return the cluster of a movie of `two_clusters`: 'alpha', 'beta', or 'nobody' if it has no ratings."""
    return movie_id.partition("-")[0]


def user_id_of(user: int) -> str:
    """Return the id of a user of `two_clusters`; even ones like alpha, odd ones beta."""
    return ODD_IDS[user] if user < len(ODD_IDS) else f"user-{user}"


def two_clusters(*, per_user: int = 24, seed: int = 0, with_features: bool = True) -> RatingsTable:
    """Make ratings of users who like one of two clusters of movies (see `cluster_of`).

    Users watch the movies of their cluster in a fixed order from a random start, and every fourth movie is
    one of the other cluster, which they dislike. So the next movie follows from the last one, and a rating
    from the other ratings, while popularity and mean ratings are uninformative.
    """
    random = np.random.default_rng(seed)
    movie_ids = [f"{cluster}-{number}" for cluster in ("alpha", "beta") for number in range(PER_CLUSTER)]
    movie_ids += [f"nobody-{number}" for number in range(NUM_UNRATED)]
    genres = {"alpha": ["Drama"], "beta": ["Comedy", "War"], "nobody": []}
    ratings: list[Rating] = []
    for user in range(NUM_USERS):
        own, other = ("alpha", "beta") if user % 2 == 0 else ("beta", "alpha")
        first, seconds = int(random.integers(PER_CLUSTER)), FIRST_TIMESTAMP + int(random.integers(10_000_000))
        hated = random.permutation(PER_CLUSTER)
        for step in range(per_user):
            likes = step % 4 != 3
            movie = f"{own}-{(first + step) % PER_CLUSTER}" if likes else f"{other}-{hated[step]}"
            stars = float(random.choice(LIKED if likes else DISLIKED))
            ratings.append((user_id_of(user), movie, stars, seconds + 3_600 * step))
    users = [user_id_of(user) for user in range(NUM_USERS)]
    return table_of(
        ratings,
        movie_ids,
        titles=[
            f"{each.replace('-', ' ').title()} ({1950 + row % 50})" for row, each in enumerate(movie_ids)
        ],
        genres=[genres[cluster_of(each)] for each in movie_ids],
        user_features={"group": {user_id: "fg"[at % 2] for at, user_id in enumerate(users[:-1])}}
        if with_features
        else None,
    )


def write_csv(table: RatingsTable, directory: Path) -> Path:
    """Write a table as `ratings.csv`, with times if it has any, and `movies.csv`; return the directory."""
    directory.mkdir()
    movies = table.movies
    with (directory / "movies.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["movieId", "title", "genres"])
        for movie_id, title, genres in zip(movies.movie_ids, movies.titles, movies.genres, strict=True):
            writer.writerow([movie_id, title, "|".join(genres) or "(no genres listed)"])
    with (directory / "ratings.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["userId", "movieId", "rating"] + ["timestamp"] * table.has_times)
        columns = (table.user_rows, table.movie_rows, table.stars, table.timestamps)
        for user, movie, stars, seconds in zip(*(column.tolist() for column in columns), strict=True):
            row = [table.user_ids[user], movies.movie_ids[movie], f"{stars:g}"]
            writer.writerow(row + [seconds] * table.has_times)
    return directory
