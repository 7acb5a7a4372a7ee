import dataclasses
import tomllib
from pathlib import Path

import pytest

from training.cli.given_hyperparameters import given_config
from training.cli.hyperparameter_list import as_toml, in_one_paragraph_each, meanings
from training.config import TrainingConfig
from training.errors import ConfigurationError


def test_each_goes_before_the_one_before_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("learning_rate = 0.01\nepochs = 7\nuser_dropout = 0.25\n", encoding="utf-8")
    config = given_config("interpolation", file, ["learning_rate=0.02"], epochs=9)
    assert (config.learning_rate, config.epochs) == (0.02, 9)
    assert (config.user_dropout, config.embedding_dimension) == (0.25, 128)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("learning_rate=0.003", "learning_rate", 0.003),
        ("learning-rate = 1e-2", "learning_rate", 0.01),
        ("weight_decay=2", "weight_decay", 2.0),
        ("layers=64,32", "layers", (64, 32)),
        ("layers=[64, 32]", "layers", (64, 32)),
        ("layers=", "layers", ()),
        ("history_scales=3", "history_scales", (3.0,)),
        ("use_history=False", "use_history", False),
    ],
)
def test_a_value_is_written_as_people_would(text: str, name: str, value: object) -> None:
    assert getattr(given_config("forward", None, [text]), name) == value


def test_values_are_checked_together() -> None:
    config = given_config("forward", None, ["cut_low=0.96", "cut_high=0.97"])
    assert (config.cut_low, config.cut_high) == (0.96, 0.97)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["learning_rte=0.01"], "unknown hyper-parameter 'learning_rte', did you mean learning_rate?"),
        (["moon=1"], "unknown hyper-parameter 'moon', `matinee hyperparameters` lists those there are"),
        (["learning_rate"], "expected NAME=VALUE, such as learning_rate=0.003, got 'learning_rate'"),
        (["learning_rate=fast"], "learning_rate must be a number, got 'fast'"),
        (["learning_rate=-1"], "learning_rate must be above 0, got -1.0"),
        (["seed=1", "seed=2"], "seed is given twice; leave one out"),
        (["epochs=1"], "epochs is given twice; leave one out"),
    ],
)
def test_what_cannot_be_used_is_refused_and_named(settings: list[str], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        given_config("forward", None, settings, epochs=3)
    assert str(raised.value) == f"--set {' --set '.join(settings)}: {complaint}"


def test_the_list_is_a_file_that_gives_the_same_back(tmp_path: Path) -> None:
    config = TrainingConfig(seed=7, layers=(64, 32), use_trend=True, weight_decay=1e-7)
    file = tmp_path / "all.toml"
    file.write_text(as_toml(config), encoding="utf-8")
    assert tomllib.loads(as_toml(config)) == config.to_document()
    assert given_config("forward", file) == config


def test_each_hyper_parameter_has_a_meaning_and_a_place_in_the_help() -> None:
    names = [field.name for field in dataclasses.fields(TrainingConfig)]
    assert sorted(meanings()) == sorted(names)
    assert all(meanings().values())
    for name in names:
        assert f"\n\n{name}=" in in_one_paragraph_each()
