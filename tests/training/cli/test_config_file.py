from pathlib import Path

import pytest

from training.cli.config_file import read_config_file
from training.errors import ConfigurationError


def test_the_names_in_a_file_become_hyper_parameters(tmp_path: Path) -> None:
    file = tmp_path / "best.json"
    file.write_text('{"weight_decay": 2, "layers": [64, 32]}', encoding="utf-8")
    assert read_config_file(file) == {"weight_decay": 2.0, "layers": (64, 32)}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            b"weight_decay = 2",
            r"expected a JSON object, got no JSON \(the name of a TOML file ends in \.toml\)",
        ),
        (b"\xff\xfe", "expected a JSON object, got no JSON"),
        (b"[1, 2]", "expected a JSON object of hyper-parameters, got a list"),
        (b'{"moon": 1}', "unknown hyper-parameter 'moon'"),
        (b'{"learning_rate": "fast"}', "learning_rate must be a number, got 'fast'"),
        (b'{"learning_rate": -1}', r"learning_rate must be above 0, got -1\.0"),
        (b'{"weight_decay": NaN}', "weight_decay must be at least 0, got nan"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_named(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    file = tmp_path / "best.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"--config .*best\.json: {complaint}"):
        read_config_file(file)


def test_a_toml_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# what I tried\nweight_decay = 2\nlayers = [64, 32]\n", encoding="utf-8")
    assert read_config_file(file) == {"weight_decay": 2.0, "layers": (64, 32)}
    file.write_text("weight_decay 2", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.toml: expected TOML, got other text"):
        read_config_file(file)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.json: cannot be read: No such file"):
        read_config_file(tmp_path / "none.json")
