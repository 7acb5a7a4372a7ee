import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG

from service.bundle import NO_ROW
from training.data.table import RatingsTable
from training.model.histories import Histories
from training.model.vocabulary import build_vocabulary


def test_the_vocabulary_comes_from_the_training_rows(train_table: RatingsTable) -> None:
    user = train_table.user_ids.index("user-20")
    without = train_table.take(np.flatnonzero(train_table.user_rows != user))
    histories = Histories.from_table(without)
    vocabulary = build_vocabulary(without, histories, SMALL_CONFIG)
    assert "user-20" not in histories.user_ids
    assert vocabulary.num_users == 119
    assert vocabulary.num_candidates == 85
    assert vocabulary.candidate_counts.tolist() == [
        np.count_nonzero(without.movie_rows == row) for row in range(85)
    ]
    assert vocabulary.mean_rating == pytest.approx(np.mean(without.stars), abs=1e-5)
    assert vocabulary.rating_spread == pytest.approx(np.std(without.stars), abs=1e-5)
    assert vocabulary.rating_scale == (0.5, 5.0)
    assert vocabulary.time_range == (without.timestamps.min(), without.timestamps.max())


def test_features_belong_to_the_users_of_the_histories(train_table: RatingsTable) -> None:
    histories = Histories.from_table(train_table)
    users = build_vocabulary(train_table, histories, SMALL_CONFIG).users
    for user_id, group in {"影": "f", "🎬": "g", "user-10": "f", "user-11": "g"}.items():
        [feature] = [row for row in users.rows[histories.user_ids.index(user_id)].tolist() if row != NO_ROW]
        assert users.names[feature] == f"group:{group}"
    assert users.rows[histories.user_ids.index("user-119")].tolist() == [NO_ROW]  # without a group
