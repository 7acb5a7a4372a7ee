"""The options of every command that reads ratings from files: how they are to be read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from training.data.reading_options import ReadingOptions
from training.errors import ConfigurationError

_PANEL = "How files are read"


_OF_SEVERAL = {"columns", "item_features", "event_weights", "not_rated"}
"""Options whose value is a list, separated by commas; given again, they add to it."""


class Transform(StrEnum):
    """What becomes of ratings and counts; `training.data.reading_options.RatingTransform`."""

    NONE = "none"
    LOG = "log"


def _option(help_text: str, metavar: str | None = None) -> Any:
    return typer.Option(metavar=metavar, help=help_text, rich_help_panel=_PANEL)


def _flag(name: str, help_text: str) -> Any:
    return typer.Option(name, help=help_text, rich_help_panel=_PANEL)


def _arguments(
    *,
    columns: Annotated[
        list[str] | None,
        _option("Which column is which, by name or number.", "user=...,item=...,time=..."),
    ] = None,
    items: Annotated[
        list[Path] | None,
        _option("The file of titles, years and genres, if not beside the ratings.", "PATH"),
    ] = None,
    item_features: Annotated[
        list[str] | None, _option("Further columns of that file to learn from.", "author,publisher")
    ] = None,
    rating_transform: Annotated[
        list[Transform] | None, _option("log: of counts such as plays, log(1 + count) is the rating.")
    ] = None,
    event_weights: Annotated[
        list[str] | None,
        _option("What each kind of event is worth; others are left out.", "view=1,cart=3,purchase=5"),
    ] = None,
    not_rated: Annotated[
        list[str] | None,
        _option("Numbers that mean watched but not rated; 'empty' for an empty field.", "0,-1"),
    ] = None,
    user: Annotated[
        list[str] | None, _option("The user of every row, for a file of one person.", "NAME")
    ] = None,
    encoding: Annotated[
        list[str] | None, _option("The text's encoding, if it is not what was detected.", "NAME")
    ] = None,
    skip_bad_rows: Annotated[
        bool, _flag("--skip-bad-rows", "Leave out and count rows that cannot be read.")
    ] = False,
    strict: Annotated[
        bool, _flag("--strict", "Refuse ratings of items that are not in the items' file.")
    ] = False,
) -> None:
    """Carry the parameters; never called.

    Those with values are lists, since of any other that is given twice click drops the first.
    """


def reads_files(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options, which it takes as one `ReadingOptions`, its parameter `reading`."""
    own = inspect.signature(command, eval_str=True)
    added = inspect.signature(_arguments, eval_str=True).parameters

    @wraps(command)
    def run(**given: Any) -> None:
        reading = {name: _as_one(name, given.pop(name)) for name in added}
        command(
            **given,
            reading=ReadingOptions.parse(**{name: one for name, one in reading.items() if one is not None}),
        )

    parameters = [one for one in own.parameters.values() if one.name != "reading"]
    as_keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    run.__signature__ = own.replace(parameters=[*as_keywords, *added.values()])  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {one.name: one.annotation for one in (*parameters, *added.values())}
    return run


def _as_one(name: str, given: Any) -> Any:
    """One value of an option that was given any number of times; None where it was not.

    Raises:
        ConfigurationError: It was given several times and takes one value.
    """
    if not isinstance(given, list):
        return given
    if name in _OF_SEVERAL:
        return ",".join(given) if given else None
    if len(given) > 1:
        option, values = f"--{name.replace('_', '-')}", ", ".join(str(one) for one in given)
        raise ConfigurationError(
            f"{option}: expected one value, got {len(given)}: {values}; leave out all but one"
        )
    one = given[0] if given else None
    return one.value if isinstance(one, Transform) else one
