"""Ratings as people write them for people: ★★★½, 4/5, 4.0 out of 5 stars, 80 %, Three, Not Recommended."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from training.data.ids import stands_for_none

_STARS = re.compile("([★⭐🌟✭✩]\ufe0f?\\s*)*(½|1/2)?\\s*☆*")
_STAR = re.compile("[★⭐🌟✭✩]")
_VALUE = r"([+-]?(?:\d+(?:[.,]\d+)?|\.\d+))"
_OUT_OF = re.compile(
    rf"(?:rated\s+)?{_VALUE}\s*(?:/|out\s+of|von|sur)\s*{_VALUE}(?:\s*stars?)?", re.ASCII | re.IGNORECASE
)
_WITH_UNIT = re.compile(
    rf"(?:rated\s+)?{_VALUE}\s*(?:stars?|sterne?|étoiles?|estrellas?|points?|punkte?|%|[★⭐])", re.IGNORECASE
)
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER_WORDS = {word: float(number) for number, word in enumerate(_WORDS)}
_VOTES = {
    **dict.fromkeys(("yes", "y", "like", "liked", "up", "thumbs up", "positive", "recommended"), 1.0),
    **dict.fromkeys(("no", "n", "dislike", "disliked", "down", "thumbs down", "negative"), 0.0),
    "not recommended": 0.0,
    "true": 1.0,
    "false": 0.0,
}


def read_notations(texts: Sequence[str]) -> list[float]:
    """Return the numbers that texts stand for, NaN where they are none.

    Words count only where all texts are words of one kind. Of several scales, as in 8/10 and 3/5, the largest
    is everybody's.

    Args:
        texts: Those that are no plain numbers; among them may be those that stand for none.
    """
    some = {text.casefold() for text in texts if not stands_for_none(text)}
    for words in (_NUMBER_WORDS, _VOTES):
        if some and some <= words.keys():
            return [words.get(text.casefold(), math.nan) for text in texts]
    of_scale = [_OUT_OF.fullmatch(text) for text in texts]
    scales = [_float(found[2]) for found in of_scale if found]
    largest = max(scales, default=0.0)
    return [
        _float(found[1]) / _float(found[2]) * largest if found and _float(found[2]) > 0 else _counted(text)
        for text, found in zip(texts, of_scale, strict=True)
    ]


def are_words(texts: Sequence[str]) -> bool:
    """Whether texts are words for numbers or votes, all of one kind."""
    some = {text.casefold() for text in texts if not stands_for_none(text)}
    return bool(some) and (some <= _NUMBER_WORDS.keys() or some <= _VOTES.keys())


def _counted(text: str) -> float:
    if text and (found := _STARS.fullmatch(text)):
        return len(_STAR.findall(text)) + 0.5 * bool(found[2])
    found = _WITH_UNIT.fullmatch(text)
    return _float(found[1]) if found else math.nan


def _float(text: str) -> float:
    return float(text.replace(",", "."))
