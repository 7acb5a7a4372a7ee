"""Distinguish items that have the same title and different years, where titles are all that names them."""

from __future__ import annotations

import dataclasses
import re

import numpy as np

from training.data.columns import Column
from training.data.raw_ratings import RawRatings

_YEAR = re.compile(r"(1[89]|20)\d\d(?=(\.0)?$)", re.ASCII)
_MOST_REPEATED = 0.1
"""If more of the titles have several years, the years are of the rows and not of the items."""


def told_apart(ratings: RawRatings, years: Column) -> RawRatings:
    """Give items whose title has several years ids such as 'Dune (1984)'.

    Args:
        ratings: Rows whose ids of items are titles.
        years: A column of the same file; rows without a year in it keep the title as their id.
    """
    codes, texts = years.coded
    found = [_YEAR.match(text) for text in texts]
    year_of_code = np.array([int(one[0]) if one else 0 for one in found], np.int64)
    of_row = year_of_code[codes][ratings.rows]
    keys = ratings.item_codes.astype(np.int64) * 10_000 + of_row
    distinct = np.unique(keys[of_row > 0])
    num_years = np.bincount(distinct // 10_000, minlength=len(ratings.item_ids))
    is_several = num_years > 1
    num_several = int(np.count_nonzero(is_several))
    if not num_several or num_several > _MOST_REPEATED * len(ratings.item_ids):
        return ratings
    keys[~is_several[ratings.item_codes]] //= 10_000
    keys[~is_several[ratings.item_codes]] *= 10_000
    used, first, item_codes = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    ids = [
        ratings.item_ids[key // 10_000] + (f" ({key % 10_000})" if key % 10_000 else "")
        for key in used[order].tolist()
    ]
    example = next(one for one, key in zip(ids, used[order].tolist(), strict=True) if key % 10_000)
    ratings.warnings.append(
        f"{num_several:,} titles have several years in {years.name}, so they are distinguished as {example!r}"
    )
    return dataclasses.replace(ratings, item_codes=rank[item_codes].astype(np.int32), item_ids=ids)
