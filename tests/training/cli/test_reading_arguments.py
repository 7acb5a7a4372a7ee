import inspect
from dataclasses import fields

import pytest
import typer
from service_process import REPOSITORY

from training.cli.inspect_command import inspect as inspect_files
from training.cli.reading_arguments import reads_files
from training.cli.training_commands import evaluate, fit
from training.data.reading_options import ReadingOptions
from training.errors import ConfigurationError

NAMES = [field.name for field in fields(ReadingOptions)]


@pytest.mark.parametrize("command", [fit, evaluate, inspect_files])
def test_every_way_to_read_is_an_option_of_each_command(command: object) -> None:
    parameters = inspect.signature(reads_files(command)).parameters  # type: ignore[arg-type] # a command
    assert set(NAMES) <= set(parameters)
    assert "reading" not in parameters


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_documented(name: str) -> None:
    assert f"| `--{name.replace('_', '-')}" in (REPOSITORY / "docs/data.md").read_text(encoding="utf-8")


def options_of(*arguments: str) -> ReadingOptions:
    """What a command with these arguments is given, through Typer."""
    got: list[ReadingOptions] = []

    def command(*, reading: ReadingOptions) -> None:
        got.append(reading)

    app = typer.Typer()
    app.command()(reads_files(command))
    app(list(arguments), standalone_mode=False)
    return got[0]


def test_an_option_that_is_a_list_may_be_given_again() -> None:
    options = options_of(
        *("--columns", "user=u", "--columns", "item=i,rating=r", "--item-features", "author"),
        *("--item-features", "publisher", "--event-weights", "view=1", "--event-weights", "cart=3"),
        *("--not-rated", "0", "--not-rated", "-1,empty"),
    )
    assert options.columns == {"user": "u", "item": "i", "rating": "r"}
    assert options.item_features == ("author", "publisher")
    assert options.event_weights == {"view": 1, "cart": 3}
    assert options.not_rated == (0, -1, "empty")


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ("--items", "a.csv", "b.csv"),
        ("--rating-transform", "log", "none"),
        ("--user", "me", "you"),
        ("--encoding", "utf-8", "cp1252"),
    ],
)
def test_an_option_of_one_value_is_refused_where_it_is_given_twice(option: str, one: str, other: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{option}: expected one value, got 2: {one}, {other}"):
        options_of(option, one, option, other)
    assert str(getattr(options_of(option, one), option[2:].replace("-", "_"))) == one


@pytest.mark.parametrize("given", [("user=a,user=b",), ("user=a", "user=b")])
def test_one_role_has_one_column(given: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="--columns: expected user once, got 'a' and 'b'"):
        options_of(*(word for columns in given for word in ("--columns", columns)))


def test_without_options_files_are_read_as_they_are() -> None:
    assert options_of() == ReadingOptions()
