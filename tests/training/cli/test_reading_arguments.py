import inspect
from dataclasses import fields

import pytest
from service_process import REPOSITORY

from training.cli.inspect_command import inspect as inspect_files
from training.cli.reading_arguments import reads_files
from training.cli.training_commands import evaluate, fit
from training.data.reading_options import ReadingOptions

NAMES = [field.name for field in fields(ReadingOptions)]


@pytest.mark.parametrize("command", [fit, evaluate, inspect_files])
def test_every_way_to_read_is_an_option_of_each_command(command: object) -> None:
    parameters = inspect.signature(reads_files(command)).parameters  # type: ignore[arg-type] # a command
    assert set(NAMES) <= set(parameters)
    assert "reading" not in parameters


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_documented(name: str) -> None:
    assert f"| `--{name.replace('_', '-')}" in (REPOSITORY / "docs/data.md").read_text(encoding="utf-8")
