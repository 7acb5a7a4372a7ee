"""Which file has the items, and which of its columns has the ids of the ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from training.data.candidates import Candidate, as_items, given_of
from training.data.column_names import folded, named
from training.data.column_synonyms import ITEM_ROLES
from training.data.columns import Column, TabularFile
from training.data.folder import Folder, open_folder
from training.data.ids import cleaned_ids, spelt_alike
from training.data.problems import Problems
from training.data.raw_ratings import RawRatings
from training.data.reading_options import ReadingOptions
from training.data.tabular_files import open_tabular
from training.errors import DataError

_TITLES = {name for line in ITEM_ROLES["title"] for name in line.split()}
_LEAST_KNOWN = 0.5
"""If fewer of the rated items are in the items' file by its likeliest id, other columns are tried."""


@dataclass(frozen=True)
class ItemsFile:
    """The file of the items, and its columns.

    Attributes:
        name: Its name.
        file: The file.
        item: The column of ids.
        of_role: The columns of title, year and genres.
        share_known: Share of the rated items that are in it.
        spelling: The ratings' ids by its own, where these are written otherwise.
    """

    name: str
    file: TabularFile
    item: str
    of_role: Mapping[str, str]
    share_known: float
    spelling: Mapping[str, str] = field(default_factory=dict)


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
        warnings += _spelt_otherwise(chosen)
        return chosen
    matched = [
        _matched(one.name, open_tabular(folder, one.name, options.encoding), options, item, rated_ids)
        for one in candidates
    ]
    known = [one for one in matched if one.share_known]
    named_ones = [one for one in matched if one.file.is_named]
    warnings += [_no_match(one, item, rated_ids) for one in named_ones[:1] if not known]
    if not known:
        return None
    best = max(map(_rank, known))
    first = [one for one in known if _rank(one) == best]
    if len(first) > 1 and first[0].name != candidates[0].name:
        several = ", ".join(one.name for one in first)
        raise DataError(
            f"{folder.path}: expected one file of items, got {several}; give the path of one with --items"
        )
    warnings += _spelt_otherwise(first[0])
    return first[0]


def _spelt_otherwise(one: ItemsFile) -> list[str]:
    if not one.spelling:
        return []
    own, rated = next(iter(one.spelling.items()))
    return [
        f"{PurePosixPath(one.name).name}: ids differ from the ratings' in capitals or leading zeros; "
        f"{own!r} is taken for {rated!r}"
    ]


def note_unknown_items(
    file: TabularFile, item: Column, ratings: RawRatings, known_ids: Sequence[str], problems: Problems
) -> None:
    """Note ratings of items that are not in the items' file."""
    known = set(known_ids)
    is_unknown = np.array([one not in known for one in ratings.item_ids], np.bool_)
    problems.add(
        *(file, ratings.rows[is_unknown[ratings.item_codes]], "an item of the items' file"),
        *(lambda row: f"{item.name} {item.text(row)!r}", "add it there, or leave out --strict"),
    )


def _matched(
    name: str, file: TabularFile, options: ReadingOptions, item: str, rated_ids: Sequence[str]
) -> ItemsFile:
    """Find the columns of an items' file, and which of its ids are those of the ratings."""
    given = given_of(options, {role: () for role in ITEM_ROLES if role != "item"})
    candidate = as_items(name, file)
    found = dict(candidate.found.of_role) if candidate else {}
    if not file.is_named:
        found.setdefault("item", file.names[0])
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
    if folded(best) in _TITLES and "title" not in given:
        roles.pop("title", None)  # the id is the title already
    spelling = spelt_alike(_ids(file, best), rated) if share < _LEAST_KNOWN else {}
    is_better = len(spelling) > (share + 0.2) * len(rated)
    share = len(spelling) / len(rated) if is_better else share
    return ItemsFile(name, file, best, roles, share, spelling if is_better else {})


def _may_be_ids(file: TabularFile, found: Mapping[str, str]) -> list[str]:
    wanted = {name for line in ITEM_ROLES["item"] for name in line.split()}
    return [
        name
        for name in file.names
        if name != found["item"] and (folded(name) in wanted or folded(name).endswith("id"))
    ]


def _share_known(file: TabularFile, column: str, rated: set[str]) -> float:
    return len(rated.intersection(_ids(file, column))) / len(rated) if rated else 0.0


def _ids(file: TabularFile, column: str) -> list[str]:
    return cleaned_ids(file.read([column], Problems())[column].ids[1])


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
