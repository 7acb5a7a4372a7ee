"""Titles as people say them: articles in front, and no year where it is a field of its own."""

from __future__ import annotations

import re

from service.bundle.title_year import without_year

# Articles that MovieLens moves to the end of a name: of English, French, Italian, Spanish, German, Dutch,
# Portuguese, Swedish and Danish titles.
_ARTICLES = (
    "The A An Le La Les L' Un Une Il Lo Gli I El Los Las Una Der Die Das Ein Eine De Het O Os As Den Det En"
)
_ARTICLE_AT_END = re.compile(rf"^(.+), ({'|'.join(_ARTICLES.split())})$", re.IGNORECASE | re.DOTALL)
_NAMES = re.compile(r"(.*?)((?:\s*\([^()]*\))*)", re.DOTALL)  # the main one, and others in parentheses
_OTHER_NAME = re.compile(r"(?<=\()[^()]*(?=\))")


def article_in_front(name: str) -> str:
    """A name with the article at its end in front: "Matrix, The" is "The Matrix"."""
    found = _ARTICLE_AT_END.match(name)
    if found is None:
        return name
    rest, article = found.groups()
    return f"{article}{rest}" if article.endswith("'") else f"{article} {rest}"


def display_title(title: str, year: int | None) -> str:
    """The title of a movie to be shown.

    Articles at the end of its names move to the front, other names in parentheses stay.

    Args:
        title: As the catalogue spells it, such as "Godfather: Part II, The (1974)".
        year: What is shown beside it: the same year at the end of the title goes, another or a range of
            years stays.
    """
    name = without_year(title)
    year_and_kind = title[len(name) :].replace(f"({year})", "")
    main, others = _NAMES.fullmatch(name).groups()  # type: ignore[union-attr] # whatever it is
    others = _OTHER_NAME.sub(lambda other: article_in_front(other[0]), others)
    return " ".join(f"{article_in_front(main)}{others} {year_and_kind}".split()) or title
