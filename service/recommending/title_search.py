"""Fuzzy search of movie titles, with an index that is built once per bundle.

A title ranks by the first kind of match that applies (`Match`); ties go to the movie with more ratings.
rapidfuzz compares the words of a query with the distinct words of all titles, which are far fewer than the
titles: 100,000 titles are searched in milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from service.bundle.title_year import year_of
from service.recommending.title_words import names_of, without_article, words_of

MOST_WORDS = 12
"""Words of a query that are used; further ones are ignored."""

_WHOLE, _PREFIX = 1.0, 0.99  # similarity of a word of the query to a word of a title: equal, or its prefix
_LEAST_LENGTH = 4  # shorter words are not matched fuzzily: too many words are similar
_LEAST_WORD_SIMILARITY = 0.7  # one mistake in four letters, two in seven
_LEAST_SIMILARITY = 0.5  # of a whole query
_SIMILARITY_BAND = 0.2  # how much less similar than the best match a title may be
_LAST_CHARACTER = chr(0x10FFFF)


class Match(IntEnum):
    """Kind of match between a title and a query, best first."""

    EXACT = 0  # a name, ignoring articles and the year: "matrix", "the matrix 1999"
    JOINED = 1  # the same, ignoring spaces: "god father" for "godfather"
    BEGINS = 2  # a name begins with the words of the query
    WORDS = 3  # all words, in any order
    BEGINS_PARTLY = 4  # a name begins with the query, whose last word is a prefix
    PREFIXES = 5  # all words, or prefixes of words
    BEGINS_JOINED = 6  # a name begins with the query, ignoring spaces
    SIMILAR = 7  # fuzzy
    NONE = 8


class Matches(NamedTuple):
    """Titles that match a query.

    Attributes:
        rows: int32 `[n]`.
        matches: int8 `[n]`, a `Match` each.
        similarities: float32 `[n]`, of `SIMILAR` ones.
    """

    rows: NDArray[np.int32]
    matches: NDArray[np.int8]
    similarities: NDArray[np.float32]


class TitleSearch:
    """Search index of the titles of one bundle.

    Args:
        titles: Titles, by candidate row.
        popular_rows: int32 `[num_candidates]`, all candidate rows, most rated first.
    """

    def __init__(self, titles: Sequence[str], popular_rows: NDArray[np.int32]) -> None:
        self._popular_rows = popular_rows
        self._popularity_ranks = np.empty(len(titles), np.int32)
        self._popularity_ranks[popular_rows] = np.arange(len(titles), dtype=np.int32)
        rows_by_word: dict[str, list[int]] = {}
        names, joined = [], []
        for row, title in enumerate(titles):
            year = year_of(title)
            of_title = names_of(title)
            for name in of_title:
                key = " ".join(without_article(name))
                names.append((f"{key} {year}" if year else key, row, len(key)))
                joined.append((key.replace(" ", ""), row, 0))
            for word in {*(word for name in of_title for word in name), *([str(year)] if year else [])}:
                rows_by_word.setdefault(word, []).append(row)
        self._names, self._joined = _SortedNames(names), _SortedNames(joined)
        vocabulary = sorted(rows_by_word)
        self._word_offsets = np.cumsum([0, *(len(rows_by_word[word]) for word in vocabulary)])
        self._word_rows = np.array([row for word in vocabulary for row in rows_by_word[word]], np.int32)
        # Joined and split, so that the words are adjacent in memory: comparing with all is 5 times faster.
        self._vocabulary = " ".join(vocabulary).split()

    def search(self, query: str) -> NDArray[np.int32]:
        """Return the candidate rows of the titles that match a query, best first.

        Args:
            query: Any text; a blank one matches every title, most rated first.
        """
        found = self.ranked(query)
        if found is None:
            return self._popular_rows
        return found.rows[
            np.lexsort((self._popularity_ranks[found.rows], -found.similarities, found.matches))
        ]

    def ranked(self, query: str) -> Matches | None:
        """What matches a query, in no order, to be put in order with others; None for a blank one."""
        words = words_of(query)[:MOST_WORDS]
        if not words:
            return None
        matches, similarities = self._match(words)
        rows = np.flatnonzero(matches < Match.NONE).astype(np.int32)
        return Matches(rows, matches[rows], similarities[rows])

    def _match(self, words: list[str]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Return by candidate row the `Match`, int8, and the similarity of `SIMILAR` ones, float32."""
        by_word = np.stack([self._word_similarities(word, last=word is words[-1]) for word in words])
        lengths = np.array([len(word) for word in words], np.float32)
        similarities = lengths @ by_word / lengths.sum()
        worst = by_word.min(axis=0)
        least = max(_LEAST_SIMILARITY, float(similarities.max()) - _SIMILARITY_BAND)
        matches = np.where(similarities >= least, Match.SIMILAR, Match.NONE).astype(np.int8)
        name = " ".join(without_article(words))
        joined = name.replace(" ", "")
        matches[self._joined.rows(joined, joined + _LAST_CHARACTER)] = Match.BEGINS_JOINED
        matches[worst >= _PREFIX] = Match.PREFIXES
        matches[self._names.rows(name, name + _LAST_CHARACTER)] = Match.BEGINS_PARTLY
        matches[worst >= _WHOLE] = Match.WORDS
        matches[self._names.rows(name + " ", name + "!")] = Match.BEGINS  # "!" comes next after the space
        matches[self._joined.rows(joined, joined + " ")] = Match.JOINED
        matches[self._names.rows_of(name)] = Match.EXACT
        return matches, np.where(matches == Match.SIMILAR, similarities, 0)

    def _word_similarities(self, word: str, *, last: bool) -> NDArray[np.float32]:
        """Return float32 `[num_candidates]`: similarity of the title's most similar word, 0 if none is."""
        if len(word) < _LEAST_LENGTH:
            similarities = np.zeros(len(self._vocabulary), np.float32)
        else:
            similarities = _similarities(word, self._vocabulary)
            if last:  # it may be incomplete; only words with the same first letter are compared
                alike = self._beginning_with(word[0])
                begun = _similarities(word, [each[: len(word)] for each in self._vocabulary[alike]])
                similarities[alike] = np.maximum(similarities[alike], _PREFIX * begun)
        similarities[self._beginning_with(word)] = _PREFIX
        at = bisect_left(self._vocabulary, word)
        if self._vocabulary[at : at + 1] == [word]:
            similarities[at] = _WHOLE
        by_row = np.zeros(len(self._popularity_ranks), np.float32)
        near = np.flatnonzero(similarities)
        for word_row in near[np.argsort(similarities[near], kind="stable")].tolist():  # the nearest word last
            start, end = self._word_offsets[word_row : word_row + 2]
            by_row[self._word_rows[start:end]] = similarities[word_row]
        return by_row

    def _beginning_with(self, letters: str) -> slice:
        """Return the slice of the vocabulary whose words begin with these letters."""
        return slice(
            bisect_left(self._vocabulary, letters), bisect_left(self._vocabulary, letters + _LAST_CHARACTER)
        )


class _SortedNames:
    """Names in order, for prefix search by bisection."""

    def __init__(self, names: Iterable[tuple[str, int, int]]) -> None:
        ordered = sorted(names)
        self._names = [name for name, _, _ in ordered]
        self._rows = np.array([row for _, row, _ in ordered], np.int32)
        self._lengths_without_year = np.array([length for _, _, length in ordered], np.int32)

    def rows(self, first: str, after: str) -> NDArray[np.int32]:
        """Return the candidate rows of the names from `first` up to but not including `after`."""
        return self._rows[bisect_left(self._names, first) : bisect_left(self._names, after)]

    def rows_of(self, name: str) -> NDArray[np.int32]:
        """Return the candidate rows of the names equal to `name`, with or without their year."""
        start, end = bisect_left(self._names, name), bisect_left(self._names, name + "!")
        with_year = np.array([each == name for each in self._names[start:end]], np.bool_)
        without_year = self._lengths_without_year[start:end] == len(name)
        rows: NDArray[np.int32] = self._rows[start:end][with_year | without_year]
        return rows


def _similarities(word: str, others: Sequence[str]) -> NDArray[np.float32]:
    """Return float32 `[len(others)]`: 1 minus the edits (insert, delete, replace, swap) per letter."""
    found: NDArray[np.float32] = cdist(
        [word],
        others,
        scorer=OSA.normalized_similarity,
        score_cutoff=_LEAST_WORD_SIMILARITY,
        dtype=np.float32,
    )[0]
    return found
