from dataclasses import fields, replace

import numpy as np
import pytest
from synthetic_ratings import table_of, two_clusters

from training.config import PRESETS, TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut
from training.tuning.search_space import SEARCH_SPACE, Searched, searched_on


@pytest.mark.parametrize("one", SEARCH_SPACE, ids=lambda one: one.name)
def test_a_search_is_of_a_hyper_parameter_around_what_every_preset_has(one: Searched) -> None:
    assert one.name in {field.name for field in fields(TrainingConfig)}
    for preset in PRESETS.values():
        # 0 switches a part off, and is not searched then.
        value = getattr(TrainingConfig(**preset), one.name)
        assert value == 0 or one.low <= value <= one.high
    assert one.reason


@pytest.mark.parametrize("one", SEARCH_SPACE, ids=lambda one: one.name)
def test_both_ends_of_a_range_can_be_trained_with(one: Searched) -> None:
    for end in (one.low, one.high):
        changed = TrainingConfig.from_document({one.name: int(end) if one.step else end})
        assert getattr(changed, one.name) == end


def names_on(train: RatingsTable, test: RatingsTable) -> set[str]:
    return {one.name for one in searched_on(HeldOut("temporal", train, test, 1))}


def test_what_no_measure_would_show_is_not_searched() -> None:
    table = two_clusters(per_user=6)
    known = names_on(table, table)
    assert {"learning_rate", "weight_decay", "rating_weight", "forward_share"} <= known
    assert not {"empty_share", "user_dropout"} & known
    assert "short_share" not in {one.name for one in SEARCH_SPACE}


def test_new_users_among_the_measured_ones_let_what_helps_them_be_searched() -> None:
    table = two_clusters(per_user=6)
    some = table.take(np.flatnonzero(table.user_rows < 60))
    assert {"empty_share", "user_dropout"} <= names_on(some, table)


def test_without_times_or_ratings_what_needs_them_is_not_searched() -> None:
    untimed = replace(two_clusters(per_user=6), has_times=False)
    assert not {"forward_share", "history_dropout", "user_dropout"} & names_on(untimed, untimed)
    watched = table_of([("1", "a", float("nan"), 1), ("2", "b", float("nan"), 2)])
    assert "rating_weight" not in names_on(watched, watched)
