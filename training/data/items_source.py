"""Where the items' titles, years and genres come from: a file of their own, the ratings' file, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from training.data.categories import read_categories, read_feature
from training.data.column_names import ITEM_ROLES, find_columns, folded, named
from training.data.columns import Column, TabularFile
from training.data.folder import Folder, open_folder
from training.data.ids import cleaned_ids
from training.data.items_file import Items, years_in
from training.data.problems import Problems
from training.data.ratings_file import Ratings
from training.data.reading_options import ReadingOptions
from training.data.recognition import Candidate, as_items, given_of
from training.data.tabular_files import open_tabular
from training.errors import DataError

_LEAST_KNOWN = 0.5
"""If fewer of the rated items are in the items' file by its likeliest id, other columns are tried."""
_LEAST_EQUAL = 0.95
"""A column of the ratings' file is about the item if it says the same in at most of its rows."""


@dataclass(frozen=True)
class ItemsFile:
    """The file of the items, and its columns.

    Attributes:
        name: Its name.
        file: The file.
        item: The column of ids.
        of_role: The columns of title, year and genres.
        share_known: Share of the rated items that are in it.
    """

    name: str
    file: TabularFile
    item: str
    of_role: Mapping[str, str]
    share_known: float


def choose_items_file(
    folder: Folder,
    candidates: Sequence[Candidate],
    options: ReadingOptions,
    item: str,
    rated_ids: Sequence[str],
    *,
    warnings: list[str],
) -> ItemsFile | None:
    """Choose the file of the items: the one that was given, or the likeliest in the folder.

    Args:
        folder: Where the ratings are.
        candidates: What may be the file, the likeliest first.
        options: What was said about it.
        item: The column of items in the ratings' file.
        rated_ids: The ids there.
        warnings: Where is noted what was not chosen, and why.

    Raises:
        DataError: The given file has no column of items, or none of the rated ones; or several are as likely.
    """
    if options.items is not None:
        with open_folder(options.items) as given:
            names = given.names()
            if len(names) != 1:
                reason = f"expected one file, got {len(names)}: {', '.join(names[:5])}"
                raise DataError(f"{options.items}: {reason}; give the path of the one with --items")
            chosen = _matched(
                names[0], open_tabular(given, names[0], options.encoding), options, item, rated_ids
            )
        if not chosen.share_known:
            raise DataError(_no_match(chosen, item, rated_ids))
        return chosen
    matched = [
        _matched(one.name, open_tabular(folder, one.name, options.encoding), options, item, rated_ids)
        for one in candidates
    ]
    known = [one for one in matched if one.share_known]
    warnings += [_no_match(one, item, rated_ids) for one in matched[:1] if not known]
    if not known:
        return None
    best = max(map(_rank, known))
    first = [one for one in known if _rank(one) == best]
    if len(first) > 1 and first[0].name != candidates[0].name:
        several = ", ".join(one.name for one in first)
        raise DataError(
            f"{folder.path}: expected one file of items, got {several}; give the path of one with --items"
        )
    return first[0]


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


def items_of_ratings(columns: Mapping[str, Column], about: Mapping[str, str], ratings: Ratings) -> Items:
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


def _matched(
    name: str, file: TabularFile, options: ReadingOptions, item: str, rated_ids: Sequence[str]
) -> ItemsFile:
    """Find the columns of an items' file, and which of its ids are those of the ratings."""
    given = given_of(options, {role: () for role in ITEM_ROLES if role != "item"})
    if file.is_named:
        candidate = as_items(name, file)
        found = dict(candidate.found.of_role) if candidate else {}
    else:
        found = dict(zip(("item", "title"), file.names, strict=False))
    for role, wanted in given.items():
        found.pop(role, None)
        if wanted:
            try:
                found[role] = named(file.names, wanted)
            except KeyError:
                if options.items is not None:
                    there = ", ".join(file.names)
                    raise DataError(
                        f"{file.label}: expected a column {wanted}, got {there}; correct --columns"
                    ) from None
    if file.is_named:
        with suppress(KeyError):
            found["item"] = named(file.names, item)
    if "item" not in found:
        there = ", ".join(file.names)
        raise DataError(
            f"{file.label}: expected a column of items as {item} in the ratings' file, got {there}; "
            "rename the one that has the ids"
        )
    rated = set(rated_ids)
    best = found["item"]
    share = _share_known(file, best, rated)
    if share < _LEAST_KNOWN and file.is_named:
        for other in _may_be_ids(file, found):
            if (of_other := _share_known(file, other, rated)) > share + 0.2:
                best, share = other, of_other
    roles = {role: column for role, column in found.items() if role != "item" and column != best}
    return ItemsFile(name, file, best, roles, share)


def _may_be_ids(file: TabularFile, found: Mapping[str, str]) -> list[str]:
    wanted = {name for line in ITEM_ROLES["item"] for name in line.split()}
    return [
        name
        for name in file.names
        if name != found["item"] and (folded(name) in wanted or folded(name).endswith("id"))
    ]


def _share_known(file: TabularFile, column: str, rated: set[str]) -> float:
    ids = cleaned_ids(file.read([column], Problems())[column].coded[1])
    return len(rated.intersection(ids)) / len(rated) if rated else 0.0


def _rank(one: ItemsFile) -> tuple[bool, bool]:
    return one.share_known >= _LEAST_KNOWN, "title" in one.of_role


def _no_match(one: ItemsFile, item: str, rated_ids: Sequence[str]) -> str:
    name = PurePosixPath(one.name).name
    got = ", ".join(repr(value) for value in list(one.file.sample.get(one.item, ()))[:2])
    rated = ", ".join(repr(value) for value in rated_ids[:2])
    return (
        f"{name}: expected items of the ratings, whose {item} is {rated}, ..., got {one.item} {got}, ...; "
        "say which columns are the same with --columns item=..., or give another file with --items"
    )
