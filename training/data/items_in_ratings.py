"""Titles, years and genres in the ratings' file itself, where no file of the items is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from training.data.candidates import given_of
from training.data.categories import read_categories, read_feature
from training.data.column_names import find_columns, folded, named
from training.data.column_synonyms import ITEM_ROLES
from training.data.columns import Column, TabularFile
from training.data.items_file import Items, years_in
from training.data.raw_ratings import RawRatings
from training.data.reading_options import ReadingOptions
from training.errors import DataError

_LEAST_EQUAL = 0.95
"""A column of the ratings' file is about the item if it says the same in at most of its rows."""


def columns_about_items(
    file: TabularFile, of_role: Mapping[str, str], options: ReadingOptions
) -> dict[str, str]:
    """Return the columns of the ratings' file that may be about items, by role or feature."""
    if not file.is_named:
        return {}
    free = [name for name in file.names if name not in of_role.values()]
    roles = {role: lines for role, lines in ITEM_ROLES.items() if role != "item"}
    try:
        found = find_columns(free, roles, given_of(options, roles))
        features = {folded(name): named(file.names, name) for name in options.item_features}
    except KeyError as missing:
        there = ", ".join(file.names)
        raise DataError(
            f"{file.label}: expected a column {missing.args[0]}, got {there}; correct its name"
        ) from None
    return dict(found.of_role) | features


def items_of_ratings(columns: Mapping[str, Column], about: Mapping[str, str], ratings: RawRatings) -> Items:
    """Return the items as the ratings' file describes them, by the first row of each.

    A column that says different things of one item, such as the title of a review, is left out.

    Args:
        columns: Columns of the ratings' file.
        about: Those that may be about items, by role or feature.
        ratings: Its rows.
    """
    items = Items.of_ids(ratings.item_ids)
    _, first = np.unique(ratings.item_codes, return_index=True)
    first_rows = ratings.rows[first]
    for role, name in about.items():
        column = columns[name]
        codes = column.coded[0]
        is_equal = codes[ratings.rows] == codes[first_rows][ratings.item_codes]
        is_repeat = np.ones(len(ratings.rows), np.bool_)
        is_repeat[first] = False
        if is_repeat.any() and is_equal[is_repeat].mean() < _LEAST_EQUAL:
            continue
        of_items = Column(name, column.array.take(first_rows))
        items.columns[role] = name
        if role == "title":
            titles = of_items.texts()
            items.titles = [title or one for title, one in zip(titles, items.ids, strict=True)]
        elif role == "year":
            items.years = years_in(of_items, items.titles)
        else:
            read = read_categories(of_items, by_comma=True) if role == "genres" else read_feature(of_items)
            items.kinds[role] = read.kind
            if role == "genres":
                items.genres = read.of_rows
            else:
                items.features[role] = read.of_rows
    return items
