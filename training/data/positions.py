"""Which column is which in a file that names none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.data.columns import TabularFile

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*")
_FIRST_SECOND = 1e8  # in 1973; no rating is so high
_LONGEST = 4


def columns_by_position(file: TabularFile) -> dict[str, str] | None:
    """Return the columns of the roles, by the usual order: user, item, then rating and time by their values.

    None if there are more than four columns, or one is neither a rating nor a time.
    """
    if not 2 <= len(file.names) <= _LONGEST:
        return None
    user, item, *others = file.names
    of_role = {"user": user, "item": item}
    for name in others:
        values = [value.strip() for value in file.sample.get(name, ())]
        if _are_times(values) or ("rating" in of_role and _are_numbers(values)):
            role = "time"
        elif _are_numbers(values):
            role = "rating"
        else:
            return None
        if role in of_role:
            return None
        of_role[role] = name
    return of_role


def items_by_position(file: TabularFile) -> dict[str, str] | None:
    """Return the columns of items by role: an id, a title, and genres if there is one more.

    None if there are fewer or more columns, or what would be titles or genres are numbers.
    """
    if not 2 <= len(file.names) <= 3:
        return None
    if any(_are_numbers([value.strip() for value in file.sample.get(name, ())]) for name in file.names[1:]):
        return None
    return dict(zip(("item", "title", "genres"), file.names, strict=False))


def _are_numbers(values: Sequence[str]) -> bool:
    return sum(1 for value in values if _NUMBER.fullmatch(value)) > 0.5 * len(values)


def _are_times(values: Sequence[str]) -> bool:
    numbers = sorted(float(value.replace(",", ".")) for value in values if _NUMBER.fullmatch(value))
    if 2 * len(numbers) > len(values):
        return numbers[len(numbers) // 2] >= _FIRST_SECOND
    return 2 * sum(1 for value in values if _DATE.fullmatch(value)) > len(values)
