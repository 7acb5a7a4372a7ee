"""Files that may have ratings or items, by their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.data.column_names import Found, find_columns, folded, proposal, require
from training.data.column_synonyms import ITEM_ROLES, RATING_ROLES
from training.data.columns import TabularFile
from training.data.positions import columns_by_position, items_by_position
from training.data.reading_options import ReadingOptions
from training.errors import DataError

_WIDE = 10
_TITLES = {name for line in ITEM_ROLES["title"] for name in line.split()}


@dataclass(frozen=True)
class Candidate:
    """A file that may have ratings, or items."""

    name: str
    file: TabularFile
    found: Found


def as_ratings(name: str, file: TabularFile, options: ReadingOptions) -> Candidate | None:
    """Return a file as one of ratings, None if it has no column of users or none of items."""
    if not file.is_named and not options.columns:
        by_position = columns_by_position(file)
        return Candidate(name, file, Found(by_position, {})) if by_position else None
    try:
        found = find_columns(file.names, _roles(file), given_of(options, RATING_ROLES))
    except KeyError:
        return None
    there = {*found.of_role, *found.several} | ({"user"} if options.user is not None else set())
    signal = there & {"rating", "weight", "event", "time"}
    if {"user", "item"} <= there and (signal or options.user is None):
        return Candidate(name, file, found)
    return None


def as_items(name: str, file: TabularFile) -> Candidate | None:
    """Return a file as one of items, None if it has no column of them, or nothing about them."""
    if not file.is_named:
        by_position = items_by_position(file)
        return Candidate(name, file, Found(by_position, {})) if by_position else None
    if "user" in find_columns(file.names, RATING_ROLES).of_role:
        return None
    found = find_columns(file.names, ITEM_ROLES)
    # Of several columns of equal right the first is as good as any.
    found = Found(dict(found.of_role) | {role: several[0] for role, several in found.several.items()}, {})
    return Candidate(name, file, found) if "item" in found.of_role and len(found.of_role) > 1 else None


def _roles(file: TabularFile) -> Mapping[str, Sequence[str]]:
    """Return names by role, none where columns have none."""
    return RATING_ROLES if file.is_named else dict.fromkeys(RATING_ROLES, ())


def names_by_title(found: Found) -> bool:
    """Whether a file has no ids of items, but their titles."""
    return folded(found.of_role.get("item", "")) in _TITLES


def given_of(options: ReadingOptions, roles: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the columns that were given for some roles."""
    return {role: name for role, name in options.columns.items() if role in roles}


def require_ratings(file: TabularFile, options: ReadingOptions) -> Found:
    """Return the columns of a file of ratings.

    Raises:
        DataError: It has no column of users or items, two of equal right, or not the one that was given.
    """
    given = given_of(options, RATING_ROLES)
    if not file.is_named and not given:
        by_position = columns_by_position(file)
        if by_position is None:
            message = proposal(file.names, ["user", "item", "rating"], file.sample)
            raise DataError(
                f"{file.label}: expected a header, or columns for user, item, rating and time, {message}"
            )
        return Found(by_position, {})
    try:
        found = find_columns(file.names, _roles(file), given)
    except KeyError as missing:
        message = proposal(file.names, [role for role, name in given.items() if name], file.sample)
        raise DataError(f"{file.label}: expected a column {missing.args[0]}, {message}") from None
    if "rating" in {*found.of_role, *found.several}:  # then the others are not read
        unread = {"event", "weight"} - options.columns.keys()
        found = Found(found.of_role, {role: of for role, of in found.several.items() if role not in unread})
    roles = ["item"] if options.user is not None else ["user", "item"]
    is_wide = len(file.names) >= _WIDE and "user" in found.of_role and "item" not in found.of_role
    doubtful = [*(role for role in roles if role not in found.of_role), *found.several]
    message = proposal(file.names, list(dict.fromkeys(doubtful)), file.sample)
    if "user" in doubtful and "user" not in found.several:
        message += ", or, if every row is of one person, with --user NAME"
    if is_wide:
        message += ", or, if each column is an item, write a row for each rating, as pandas.melt does"
    try:
        require(found, roles, message)
    except DataError as error:
        raise DataError(f"{file.label}: {error}") from None
    return found


def columns_to_read(file: TabularFile, options: ReadingOptions) -> dict[str, str]:
    """Return the columns of ratings by role: ratings go before events and counts, unless these are asked for.

    Raises:
        DataError: As `require_ratings`; or events have weights, and there is no column of events.
    """
    of_role = dict(require_ratings(file, options).of_role)
    if options.user is not None:
        of_role.pop("user", None)
    if options.event_weights:
        if "event" not in of_role:
            reason = "expected a column of events for --event-weights, got none"
            raise DataError(f"{file.label}: {reason}; name it with --columns event=...")
        return {role: name for role, name in of_role.items() if role not in {"rating", "weight"}}
    if "rating" in of_role:
        return {
            role: name
            for role, name in of_role.items()
            if role not in {"event", "weight"} or role in options.columns
        }
    if {"event", "weight"} <= of_role.keys() and "event" not in options.columns:
        del of_role["event"]
    return of_role
