"""Parse the year of release at the end of a title, as MovieLens writes it."""

from __future__ import annotations

import re

# 'Toy Story (1995)', 'Land Before Time III (1995) (V)', on video, and 'Death Note (2006-2007)', a series.
_YEAR = re.compile(r"\(([0-9]{4})(?:[-\u2013][0-9]{0,4})?\)(?:\s*\([A-Za-z]+\))?\s*$")


def year_of(title: str) -> int | None:
    """Return the year at the end of a title, the first of a range; None where there is none."""
    found = _YEAR.search(title)
    return int(found[1]) if found else None


def without_year(title: str) -> str:
    """Return a title without the year at its end and what follows it."""
    return _YEAR.sub("", title).rstrip()
