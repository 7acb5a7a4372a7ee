"""Ids as programs write them: with quotes too many, as decimal numbers, or as a word for none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_WORDS_FOR_NONE = {"na", "n/a", "nan", "null", "none", "\\n", "<na>", "undefined", "nil"}
_LEAST_MISSING = 0.01
_QUOTED = re.compile(r'"[^"]+"|\'[^\']+\'')
_WHOLE = re.compile(r"\d+(\.0)?", re.ASCII)
_LEADING_ZEROS = re.compile(r"^(\D*)0+(?=\d)", re.ASCII)
_ROUNDED = re.compile(r"\d(\.\d+)?e\+?\d{2,}", re.ASCII | re.IGNORECASE)


def stands_for_none(text: str) -> bool:
    """Whether a field is empty, or has a word that programs write for that."""
    return not text or text.casefold() in _WORDS_FOR_NONE


def missing_ids(ids: list[str], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which ids stand for none: the empty one, and words for it, unless they may be names."""
    is_missing = np.array([stands_for_none(one) for one in ids], np.bool_)
    others = [one for one, missing in zip(ids, is_missing, strict=True) if not missing]
    if not all(one.isdecimal() for one in others):
        is_frequent = counts > _LEAST_MISSING * counts.sum()
        is_missing &= is_frequent | np.array([not one for one in ids], np.bool_)
    return is_missing


def cleaned_ids(ids: list[str]) -> list[str]:
    """Return ids without what programs added: quotes of quotes, '.0' where integers had a gap.

    Two of them may be the same then.
    """
    some = [one for one in ids if not stands_for_none(one)]
    if some and all(map(_WHOLE.fullmatch, some)):
        return [one.removesuffix(".0") for one in ids]
    if some and all(map(_QUOTED.fullmatch, some)):
        return [one[1:-1] if _QUOTED.fullmatch(one) else one for one in ids]
    return ids


def merged_ids(codes: NDArray[np.int32], ids: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    """Return codes and distinct ids, cleaned."""
    cleaned = cleaned_ids(ids)
    distinct = {one: code for code, one in enumerate(dict.fromkeys(cleaned))}
    if len(distinct) == len(ids):
        return codes, cleaned
    return np.array([distinct[one] for one in cleaned], np.int32)[codes], list(distinct)


def spelt_alike(ids: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Return of ids those that are some other's but for capitals and leading zeros, as 'TT0012' is 'tt12'.

    Args:
        ids: Ids of one file.
        wanted: Ids of another.

    Returns:
        The other's by an id; without those that are several's.
    """
    bare = [{one: _LEADING_ZEROS.sub(r"\1", one.casefold()) for one in some} for some in (ids, wanted)]
    times = [Counter(some.values()) for some in bare]
    of_bare = {one: spelt for spelt, one in bare[1].items()}
    return {
        spelt: of_bare[one] for spelt, one in bare[0].items() if times[0][one] == 1 and times[1][one] == 1
    }


def are_rounded(ids: list[str]) -> bool:
    """Whether a spreadsheet rounded ids, as 9.78044E+12, so that several may have become one."""
    return any(map(_ROUNDED.fullmatch, ids)) and all(
        one.isdecimal() or _ROUNDED.fullmatch(one) for one in ids
    )
