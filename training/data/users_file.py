"""Gender, age and occupation of the users, from GroupLens's files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.data.columns import TabularFile
from training.data.demographics import age_group, occupation
from training.data.problems import Problems

_COLUMNS = ("userId", "gender", "age", "occupation")


def read_users(file: TabularFile, user_ids: Sequence[str], problems: Problems) -> dict[str, list[str]]:
    """Read the features of users.

    Args:
        file: `u.user` or `users.dat`.
        user_ids: The users that have ratings.
        problems: Where rows that cannot be read are noted.

    Returns:
        Values by feature name, one for each of `user_ids`, empty if missing.
    """
    columns = file.read(_COLUMNS, problems)
    codes, ids = columns["userId"].ids
    ages = columns["age"].texts()
    young = [row for row, age in enumerate(ages) if age and not (age.isascii() and age.isdecimal())]
    problems.add(
        *(file, np.array(young, np.int64), "a whole number as age", lambda row: repr(ages[row])),
        "correct it, or leave it empty",
    )
    if "" in ids:
        empty = np.flatnonzero(codes == ids.index(""))
        problems.add(file, empty, "a userId", lambda _: "an empty field", "fill it in")
    _, first = np.unique(codes, return_index=True)
    again = np.setdiff1d(np.arange(len(codes)), first)
    problems.add(
        *(file, again, "each userId once", lambda row: f"{ids[codes[row]]!r} again"), "keep one of them"
    )
    kept = problems.kept(file, len(codes))
    row_of_id = {ids[codes[row]]: row for row in np.flatnonzero(kept)}
    values = {
        "gender": columns["gender"].texts(),
        "age": [age_group(int(age)) if age.isdecimal() else "" for age in ages],
        "occupation": [occupation(text) for text in columns["occupation"].texts()],
    }
    rows = [row_of_id.get(user_id) for user_id in user_ids]
    return {
        feature: ["" if row is None else column[row] for row in rows] for feature, column in values.items()
    }
