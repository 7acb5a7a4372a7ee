"""Titles, years and genres in the ratings' file itself, where no file of the items is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from training.data.candidates import given_of
from training.data.categories import read_categories, read_feature
from training.data.column_names import find_columns, named
from training.data.column_synonyms import ITEM_ROLES
from training.data.columns import Column, TabularFile
from training.data.html_entities import without_entities
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
    free = [name for name in file.names if name not in of_role.values()]
    roles = {role: lines if file.is_named else () for role, lines in ITEM_ROLES.items() if role != "item"}
    try:
        found = find_columns(free, roles, given_of(options, roles))
        features = {name: named(file.names, name) for name in options.item_features}
    except KeyError as missing:
        there = ", ".join(file.names)
        raise DataError(
            f"{file.label}: expected a column {missing.args[0]}, got {there}; correct its name"
        ) from None
    # Of several columns of equal right the first is as good as any.
    return {role: several[0] for role, several in found.several.items()} | dict(found.of_role) | features


def items_of_ratings(
    columns: Mapping[str, Column], about: Mapping[str, str], ratings: RawRatings, options: ReadingOptions
) -> Items:
    """Return the items as the ratings' file describes them, by the first row of each.

    A column that was not named in the options is left out if it says different things of one item, as the
    title of a review does; or if that cannot be seen, as no item is there twice, unless all rows are of one
    user.

    Args:
        columns: Columns of the ratings' file.
        about: Those that may be about items, by role or feature.
        ratings: Its rows.
        options: What was said of them.
    """
    items = Items.of_ids(ratings.item_ids)
    _, first = np.unique(ratings.item_codes, return_index=True)
    for role, name in about.items():
        sure = role in options.columns or role in options.item_features or len(ratings.user_ids) == 1
        if sure or _says_the_same(columns[name], ratings, first):
            items.columns[role] = name
            _add(items, role, Column(name, columns[name].array.take(ratings.rows[first])))
    return items


def _says_the_same(column: Column, ratings: RawRatings, first: NDArray[np.int64]) -> bool:
    codes = column.coded[0][ratings.rows]
    is_equal = codes == codes[first][ratings.item_codes]
    is_repeat = np.ones(len(codes), np.bool_)
    is_repeat[first] = False
    return bool(is_repeat.any() and is_equal[is_repeat].mean() >= _LEAST_EQUAL)


def _add(items: Items, role: str, column: Column) -> None:
    if role == "title":
        titles = map(without_entities, column.texts())
        items.titles = [title or one for title, one in zip(titles, items.ids, strict=True)]
    elif role == "year":
        items.years = years_in(column, items.titles)
    elif role == "genres":
        genres = read_categories(column, by_comma=True)
        items.genres, items.kinds[role] = genres.of_rows, genres.kind
    else:
        feature = read_feature(column)
        items.features[role], items.kinds[role] = feature.of_rows, feature.kind
