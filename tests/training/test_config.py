import dataclasses
import json
from typing import Any

import pytest

from training.config import TrainingConfig
from training.errors import ConfigurationError


def test_nothing_can_be_changed_after_the_beginning() -> None:
    config = TrainingConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.epochs = 3  # type: ignore[misc] # that it is frozen is tested


def test_a_manifest_gives_the_same_configuration_back() -> None:
    config = TrainingConfig(
        seed=7, layers=(64, 32), rating_layers=(), history_scales=(3.0,), use_history=False
    )
    document = json.loads(json.dumps(config.to_document()))
    assert document.keys() == {field.name for field in dataclasses.fields(TrainingConfig)}
    assert TrainingConfig.from_document(document) == config


def test_a_document_with_an_unknown_name_is_refused_naming_it() -> None:
    with pytest.raises(ConfigurationError, match="moon_phase"):
        TrainingConfig.from_document({"epochs": 3, "moon_phase": 0.5})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 0) for name in ("embedding_dimension", "rating_dimension", "max_history")),
        *((name, 0) for name in ("max_title_words", "time_window")),
        *((name, -3) for name in ("batch_size", "epochs", "time_buckets", "uniform_negatives")),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("retrieval_weight", -0.5),
        ("rating_weight", float("nan")),
        ("weight_decay", -1.0),
        *(("factor_scale", value) for value in (-1.0, float("nan"))),
        *(("empty_share", value) for value in (-0.1, 1.1)),
        *((name, value) for name in ("forward_share", "history_dropout") for value in (-0.1, 1.1)),
        *((name, value) for name in ("user_dropout", "time_dropout") for value in (-0.1, float("nan"))),
        ("layers", (64, 0)),
        ("rating_layers", (-1,)),
        ("history_scales", ()),
        ("history_scales", (5.0, 0.0)),
        ("cut_low", 0.0),
        ("cut_low", 1.0),
        ("hidden_low", 0.0),
        ("hidden_low", 0.95),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_what_cannot_train_is_refused_naming_field_and_value(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TrainingConfig(**{name: value})
    assert str(raised.value).startswith(f"{name} must be ")
    assert str(raised.value).endswith(f"got {value!r}")


def test_a_model_that_learns_neither_task_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="rating_weight"):
        TrainingConfig(retrieval_weight=0, rating_weight=0)
    assert TrainingConfig(retrieval_weight=0, rating_weight=1).retrieval_weight == 0


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"learning_rate": "fast"}, "learning_rate must be a number, got 'fast'"),
        ({"learning_rate": None}, "learning_rate must be a number, got None"),
        ({"epochs": 2.5}, "epochs must be a whole number, got 2.5"),
        ({"epochs": True}, "epochs must be a whole number, got True"),
        ({"use_trend": 1}, "use_trend must be true or false, got 1"),
        ({"layers": 64}, "layers must be a list, each a whole number, got 64"),
        ({"history_scales": [3, "x"]}, "history_scales must be a number, got 'x'"),
    ],
)
def test_a_value_of_another_type_is_refused(document: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TrainingConfig.from_document(document)
    assert str(raised.value) == complaint


def test_whole_numbers_are_numbers_too() -> None:
    read = TrainingConfig.from_document({"weight_decay": 2, "history_scales": [3, 20]})
    assert read == TrainingConfig(weight_decay=2.0, history_scales=(3.0, 20.0))
    assert isinstance(read.weight_decay, float)
