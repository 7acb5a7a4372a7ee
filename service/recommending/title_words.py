"""Normalization of movie titles for search: names, words, year.

MovieLens spells "The Matrix" as "Matrix, The (1999)" and adds other names in parentheses, as in "Shanghai
Triad (Yao a yao yao dao waipo qiao) (1995)". Users type neither articles at the end, nor accents, nor
capitals.
"""

from __future__ import annotations

import re
import unicodedata

from service.bundle.display_title import article_in_front
from service.bundle.title_year import without_year

_OTHER_NAME = re.compile(r"\(([^()]*)\)")
_KNOWN_AS = re.compile(r"^(?:a\.?k\.?a\.?|aka)\s+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_APOSTROPHES = re.compile("['`\u00b4\u2018\u2019]")
_INITIALS = re.compile(r"(?<=\b\w)[.*](?=\w\b)")  # E.T. and M*A*S*H become ET and MASH

# Only these are ignored in front: "die" in "die hard" is no article.
_IGNORED_IN_FRONT = {"the", "a", "an"}

# Letters that Unicode does not decompose, and how users type them.
_UNDECOMPOSED = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)


def words_of(text: str) -> list[str]:
    """Split a text into words without case, accents or punctuation; only signs become one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).translate(_UNDECOMPOSED)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each)).replace("&", " and ")
    plain = _INITIALS.sub("", _APOSTROPHES.sub("", plain))
    return _WORD.findall(plain.replace("_", " ")) or plain.split()


def without_article(words: list[str]) -> list[str]:
    """Drop an English article at the beginning, unless it is the only word."""
    return words[1:] if len(words) > 1 and words[0] in _IGNORED_IN_FRONT else words


def names_of(title: str) -> list[list[str]]:
    """Return the names in a title, each as words, without the year, the main one first."""
    main = without_year(title)
    names = [_OTHER_NAME.sub(" ", main), *(_KNOWN_AS.sub("", name) for name in _OTHER_NAME.findall(main))]
    in_order = (article_in_front(name.strip()) for name in names)
    return [words for words in map(words_of, in_order) if words]
