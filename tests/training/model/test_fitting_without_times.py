"""Data without real times: the order of the ids is nothing that a model may learn."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of

from service.bundle.query_encoding import encode_queries, untimed_history
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.model.fitting import fit_model

MOVIES, LAST_QUARTER = 100, 75
CONFIG = TrainingConfig(
    embedding_dimension=8, rating_dimension=4, epochs=5, batch_size=50, learning_rate=0.03
)


def watched_at_random() -> RatingsTable:
    """100 users who each watched 9 of 100 movies, any as likely as any other, all at one time."""
    random = np.random.default_rng(0)
    ratings: list[Rating] = [
        (str(user), str(movie), float(random.integers(1, 6)), 0)
        for user in range(100)
        for movie in random.choice(MOVIES, 9, replace=False).tolist()
    ]
    return table_of(ratings, [str(movie) for movie in range(MOVIES)])


def share_of_the_last_quarter(table: RatingsTable) -> float:
    """Of the 10 best movies for each of 100 random histories."""
    trained = fit_model(table, CONFIG)
    random = np.random.default_rng(1)
    histories: list[NDArray[np.int64]] = [random.choice(MOVIES, 8, replace=False) for _ in range(100)]
    inputs = encode_queries([untimed_history(rows, np.full(8, 4.0)) for rows in histories])
    scores = trained.embed_queries(inputs) @ trained.candidate_embeddings.T
    best = [
        [row for row in np.argsort(-of_query).tolist() if row not in rows][:10]
        for of_query, rows in zip(scores, histories, strict=True)
    ]
    return float(np.mean(np.array(best) >= LAST_QUARTER))


@pytest.mark.usefixtures("eagerly")
def test_served_are_movies_from_all_of_the_catalogue() -> None:
    table = watched_at_random()
    assert not table.has_times
    assert 0.15 < share_of_the_last_quarter(table) < 0.4


@pytest.mark.usefixtures("eagerly")
def test_times_in_the_order_of_the_ids_would_be_learned() -> None:
    """What the test above would find, were a tie in the order of the movies' rows."""
    table = watched_at_random()
    in_order = replace(table, has_times=True, timestamps=table.movie_rows.astype(np.int64) + 1_000_000)
    assert share_of_the_last_quarter(in_order) > 0.45
