"""What columns of other people's files are called, and which of a file's columns has which role."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.data.column_synonyms import ITEM_ROLES, RATING_ROLES
from training.errors import DataError

ROLES = tuple(dict.fromkeys((*RATING_ROLES, *ITEM_ROLES)))

# RecBole's types, and the places of columns of one name.
_RECBOLE_TYPE = re.compile(r":(?:token|float)(?:_seq)?$|#\d+$")
# 'average_rating' is no user's rating.
_OF_MANY = {"average", "avg", "mean", "num", "number", "predicted", "expected"}
# 'category_id' is no item, 'user_name' no title.
_TOO_GENERAL = {"id", "name", "title", "type", "label", "value", "day", "like", "count"}
_MOST_COLUMNS = 20
_IDS = re.compile("ids$")
_WORD = re.compile(r"[^\W_]+")


def folded(name: str) -> str:
    """Return a name in lower case without punctuation, so that 'User-ID' and 'user_id' are 'userid'."""
    text = unicodedata.normalize("NFKC", _RECBOLE_TYPE.sub("", name.strip())).casefold()
    return _IDS.sub("id", "".join(_WORD.findall(text)))


@dataclass(frozen=True)
class Found:
    """The columns of one file.

    Attributes:
        of_role: The column of each role that was found.
        several: Columns of equal right by role, none of which is in `of_role`.
    """

    of_role: Mapping[str, str]
    several: Mapping[str, tuple[str, ...]]


def find_columns(
    names: Sequence[str], roles: Mapping[str, Sequence[str]], given: Mapping[str, str] | None = None
) -> Found:
    """Find the column of each role by its name; a column has one role.

    Args:
        names: The columns of a file.
        roles: Names by role, as `RATING_ROLES`.
        given: What was said with `--columns`, which goes before what names say.

    Raises:
        KeyError: A column that was given is not there; its argument is the column.
    """
    of_role: dict[str, str] = {}
    several: dict[str, tuple[str, ...]] = {}
    closed = set()
    for role, wanted in (given or {}).items():
        if role in roles:
            closed.add(role)
            if wanted:
                of_role[role] = named(names, wanted)
    for role, lines in roles.items():
        if role in closed:
            continue
        free = [name for name in names if name not in of_role.values()]
        matches = _first_match(free, lines)
        if len(matches) == 1:
            of_role[role] = matches[0]
        elif matches:
            several[role] = tuple(matches)
    return Found(of_role, several)


def named(names: Sequence[str], wanted: str) -> str:
    """Return the column of a name, spelt exactly or not, or its last words, or of a number from 1.

    Raises:
        KeyError: There is none, or several.
    """
    if names.count(wanted) == 1:
        return wanted
    alike = [name for name in names if folded(name) == folded(wanted)]
    alike = alike or [name for name in names if folded(wanted) in _ends(name)]
    if len(alike) == 1:
        return alike[0]
    if not alike and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise KeyError(wanted)


def known(names: Iterable[str]) -> int:
    """Count the names that have a role."""
    return sum(1 for name in names if folded(name) in _EVERY)


def proposal(names: Sequence[str], missing: Sequence[str], samples: Mapping[str, Sequence[str]]) -> str:
    """Say what is there, with values, and how to name what is missing."""
    there = "; ".join(f"{name} ({_examples(samples.get(name, ()))})" for name in names[:_MOST_COLUMNS])
    if len(names) > _MOST_COLUMNS:
        there += f"; and {len(names) - _MOST_COLUMNS:,} more"
    how = ",".join(f"{role}=..." for role in missing)
    return f"got the columns {there}; name them with --columns {how}"


def require(found: Found, roles: Sequence[str], message: str) -> None:
    """Refuse columns that are ambiguous, or lack one of `roles`.

    Args:
        found: What `find_columns` returned.
        roles: The roles that are needed.
        message: What is there, and how to say which is which.

    Raises:
        DataError: In one line.
    """
    doubts = [f"{' or '.join(columns)} as {role}" for role, columns in found.several.items()]
    missing = [role for role in roles if role not in found.of_role and role not in found.several]
    if missing or doubts:
        expected = " and ".join(
            ([f"a column for {' and '.join(missing)}"] if missing else [])
            + ([f"one column each: {', '.join(doubts)}"] if doubts else [])
        )
        raise DataError(f"expected {expected}, {message}")


def _first_match(names: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return the columns of the first line that has any; whole names before their ends ('review/score')."""
    for spellings in (lambda name: {folded(name)}, _ends):
        for line in lines:
            wanted = set(line.split())
            matches = [name for name in names if spellings(name) & wanted]
            if matches:
                return matches
    return []


def _ends(name: str) -> set[str]:
    """Return a compound name without its first words: 'score' of 'review/score'."""
    words = [folded(word) for word in re.split(r"[^0-9A-Za-z]+", _RECBOLE_TYPE.sub("", name)) if word]
    if _OF_MANY.intersection(words):
        return set()
    return {"".join(words[start:]) for start in range(1, len(words))} - _TOO_GENERAL


def _examples(values: Sequence[str]) -> str:
    shown = [value[:24] + ("…" if len(value) > 24 else "") for value in list(dict.fromkeys(values))[:2]]
    return ", ".join(repr(value) for value in shown) or "empty"


_EVERY = {
    name
    for lines in (*RATING_ROLES.values(), *ITEM_ROLES.values())
    for line in lines
    for name in line.split()
}
