"""Ids as programs write them: with quotes too many, as decimal numbers, or as a word for none."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_WORDS_FOR_NONE = {"na", "n/a", "nan", "null", "none", "\\n", "<na>", "undefined", "nil"}
_LEAST_MISSING = 0.01
_QUOTED = re.compile(r'"[^"]+"|\'[^\']+\'')
_WHOLE = re.compile(r"\d+\.0", re.ASCII)


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
    """Return ids without what programs added: quotes of quotes, '.0' where integers had a gap."""
    if ids and all(_WHOLE.fullmatch(one) for one in ids if one):
        return [one.removesuffix(".0") for one in ids]
    if ids and all(_QUOTED.fullmatch(one) for one in ids if one):
        return [one[1:-1] for one in ids]
    return ids
