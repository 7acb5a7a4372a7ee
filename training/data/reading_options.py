"""How files of ratings are to be read, beyond what they show themselves."""

from __future__ import annotations

import codecs
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from training.data.column_names import ROLES
from training.errors import ConfigurationError

EMPTY: Literal["empty"] = "empty"
"""In place of a number in `not_rated`: a rating that is not filled in."""

NotRated = float | Literal["empty"]
RatingTransform = Literal["none", "log"]


@dataclass(frozen=True)
class ReadingOptions:
    """What a file does not say by itself; by default what its names and values show.

    Attributes:
        columns: The column of a role of `column_names.ROLES`, by its name or its number from 1; '' for none.
        items: The file of the items; None: the one in the same folder, if any.
        item_features: Columns of the items' file that become content features.
        rating_transform: 'log' reads ratings, or counts where there are no ratings, as log(1 + value); 'none'
            leaves counts as they are, which otherwise are on a log scale where they are skewed.
        event_weights: How much an event counts as a watch, by its name; other events are left out.
        not_rated: Numbers that mean watched but not rated; `EMPTY` for an empty field.
        user: The user of every row, for a file of one person.
        encoding: The text's encoding, in a name that Python knows; None: it is detected.
        skip_bad_rows: Whether rows that cannot be read are left out and counted.
        strict: Whether a rating of an item without a row in the items' file is an error.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    items: Path | None = None
    item_features: tuple[str, ...] = ()
    rating_transform: RatingTransform | None = None
    event_weights: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    not_rated: tuple[NotRated, ...] = ()
    user: str | None = None
    encoding: str | None = None
    skip_bad_rows: bool = False
    strict: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ConfigurationError: Names the option, its value and what was expected.
        """
        for role in self.columns:
            if role not in ROLES:
                raise ConfigurationError(f"--columns: expected one of {', '.join(ROLES)}, got {role!r}")
        for event, weight in self.event_weights.items():
            if not 0 < weight < float("inf"):
                reason = f"expected a number above 0 for {event}, got {weight:g}; leave it out to drop it"
                raise ConfigurationError(f"--event-weights: {reason}")
        if self.encoding is not None:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                reason = (
                    f"--encoding: expected a name such as utf-8, cp1252 or gb18030, got {self.encoding!r}"
                )
                raise ConfigurationError(reason) from None

    def as_arguments(self) -> str:
        """Return the options that are not the default, as a shell reads them; '' if all are."""
        default = ReadingOptions()
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        arguments: list[str] = []
        for name, value in given.items():
            if value != getattr(default, name):
                option = f"--{name.replace('_', '-')}"
                arguments += [option] if value is True else [option, _value(value)]
        return shlex.join(arguments)

    @classmethod
    def parse(
        cls,
        *,
        columns: str = "",
        items: Path | None = None,
        item_features: str = "",
        rating_transform: RatingTransform | None = None,
        event_weights: str = "",
        not_rated: str | None = None,
        user: str | None = None,
        encoding: str | None = None,
        skip_bad_rows: bool = False,
        strict: bool = False,
    ) -> ReadingOptions:
        """Read the options as they are given on the command line.

        Raises:
            ConfigurationError: One cannot be read.
        """
        return cls(
            columns=_pairs("--columns", columns, "user=...,item=...,rating=..."),
            items=items,
            item_features=tuple(one.strip() for one in item_features.split(",") if one.strip()),
            rating_transform=rating_transform,
            event_weights={
                event: _number("--event-weights", weight)
                for event, weight in _pairs("--event-weights", event_weights, "view=1,purchase=5").items()
            },
            not_rated=tuple(_not_rated(one.strip()) for one in not_rated.split(","))
            if not_rated is not None
            else (),
            user=user,
            encoding=encoding,
            skip_bad_rows=skip_bad_rows,
            strict=strict,
        )


def _pairs(option: str, text: str, example: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, value = (one.strip() for one in part.partition("="))
        if not equals or not name:
            raise ConfigurationError(f"{option}: expected {example}, got {part!r}")
        if name in pairs:
            reason = f"expected {name} once, got {pairs[name]!r} and {value!r}; leave one out"
            raise ConfigurationError(f"{option}: {reason}")
        pairs[name] = value
    return pairs


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{option}: expected a number, got {text!r}") from None


def _not_rated(text: str) -> NotRated:
    return EMPTY if text in {"", EMPTY} else _number("--not-rated", text)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_plain(one)}" for name, one in value.items())
    if isinstance(value, tuple):
        return ",".join(_plain(one) for one in value)
    return str(value)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
