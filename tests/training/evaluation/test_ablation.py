"""The rows of the ablation."""

import pytest

from training.config import TrainingConfig
from training.errors import ConfigurationError
from training.evaluation.ablation import WITHOUT, ablations


def test_every_row_differs_from_the_joint_model_in_what_its_name_says() -> None:
    rows = dict(ablations(TrainingConfig()))
    assert list(rows) == list(WITHOUT)
    joint = rows.pop("joint").to_document()
    assert joint == TrainingConfig().to_document()
    changed = {
        name: {key for key, value in row.to_document().items() if value != joint[key]}
        for name, row in rows.items()
    }
    assert changed == {
        "without history": {"use_history"},
        "without time": {"time_buckets", "time_dropout"},
        "without content": {"use_content"},
        "without user id": {"use_user_id"},
        "retrieval only": {"rating_weight"},
        "rating only": {"retrieval_weight"},
    }


def test_a_row_that_changes_nothing_is_left_out() -> None:
    rows = dict(ablations(TrainingConfig(use_content=False)))
    assert "without content" not in rows
    assert "joint" in rows


def test_a_model_of_one_task_cannot_lose_it() -> None:
    with pytest.raises(ConfigurationError):
        list(ablations(TrainingConfig(rating_weight=0)))
