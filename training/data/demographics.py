"""Normalize GroupLens's user features to the values of tfds, so that all sources agree."""

from __future__ import annotations

from bisect import bisect_right

# Lower ends of the age groups of MovieLens 1M, which tfds uses for the exact ages of 100K too.
_AGE_GROUPS = (1, 18, 25, 35, 45, 50, 56)
# The occupations of MovieLens 1M by number, from its README.
_OCCUPATIONS = (
    "other/not specified",
    "academic/educator",
    "artist",
    "clerical/admin",
    "college/grad student",
    "customer service",
    "doctor/health care",
    "executive/managerial",
    "farmer",
    "homemaker",
    "K-12 student",
    "lawyer",
    "programmer",
    "retired",
    "sales/marketing",
    "scientist",
    "self-employed",
    "technician/engineer",
    "tradesman/craftsman",
    "unemployed",
    "writer",
)
_OCCUPATION_OF_NUMBER = {str(number): occupation for number, occupation in enumerate(_OCCUPATIONS)}


def age_group(age_years: int) -> str:
    """Return the lower end of an age's group, such as '25' for 25 to 34; '1' is under 18."""
    return str(_AGE_GROUPS[max(bisect_right(_AGE_GROUPS, age_years) - 1, 0)])


def occupation(text: str) -> str:
    """Return an occupation in words; a number is one of MovieLens 1M, words are unchanged."""
    return _OCCUPATION_OF_NUMBER.get(text, text)
