"""Which column is which in a file that names none."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from training.data.columns import TabularFile

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}.*")
_YEAR = re.compile(r"(1[89]|20)\d\d(\.0)?", re.ASCII)
_OF_ITEM = re.compile("release|publi|birth|joined|since|founded", re.IGNORECASE)
_FIRST_LIKELY, _LAST_LIKELY = 9e8, 2.2e9  # 1998 to 2039
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
    """Return the columns of items by role: an id, a title, and genres or a year if there is one more.

    The year may be before the title, as in Netflix's file. None if there are fewer or more columns, or what
    would be titles or genres are other numbers.
    """
    if not 2 <= len(file.names) <= 3:
        return None
    item, *others = file.names
    values = {name: [value.strip() for value in file.sample.get(name, ())] for name in others}
    years = [name for name in others if _are_years(values[name])]
    if len(years) == 1 and len(others) == 2:
        others.remove(years[0])
        if not _are_numbers(values[others[0]]):
            return {"item": item, "title": others[0], "year": years[0]}
    if any(_are_numbers(values[name]) for name in others):
        return None
    return dict(zip(("item", "title", "genres"), file.names, strict=False))


def _are_years(values: Sequence[str]) -> bool:
    return sum(1 for value in values if _YEAR.fullmatch(value)) > 0.5 * len(values)


def unnamed_times(file: TabularFile, used: Collection[str]) -> str | None:
    """Return the first column, of those that are not used, whose values are as times of today."""
    for name in file.names:
        values = [value.strip() for value in file.sample.get(name, ())]
        if name in used or _OF_ITEM.search(name) or not values:
            continue
        numbers = sorted(float(value) for value in values if _NUMBER.fullmatch(value) and "," not in value)
        middle = numbers[len(numbers) // 2] if 2 * len(numbers) > len(values) else 0.0
        are_seconds = any(_FIRST_LIKELY <= middle / unit < _LAST_LIKELY for unit in (1, 1_000))
        if are_seconds or 2 * sum(1 for value in values if _DATE.fullmatch(value)) > len(values):
            return name
    return None


def _are_numbers(values: Sequence[str]) -> bool:
    return sum(1 for value in values if _NUMBER.fullmatch(value)) > 0.5 * len(values)


def _are_times(values: Sequence[str]) -> bool:
    numbers = sorted(float(value.replace(",", ".")) for value in values if _NUMBER.fullmatch(value))
    if 2 * len(numbers) > len(values):
        return numbers[len(numbers) // 2] >= _FIRST_SECOND
    return 2 * sum(1 for value in values if _DATE.fullmatch(value)) > len(values)
