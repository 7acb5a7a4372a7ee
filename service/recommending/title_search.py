"""Finds movies by what people type of their titles; everything that can be prepared is, once a bundle.

A title is found in the first of these ways that fits, and ranks by it (`Fit`); of equals the more rated comes
first. Similar words are found by rapidfuzz among the catalogue's distinct words, of which there are far fewer
than titles, so that a hundred thousand titles are searched in milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import cdist

from service.bundle.title_year import year_of
from service.recommending.title_words import names_of, without_article, words_of

MOST_WORDS = 12
"""Words of a query that are read; titles seldom have as many."""

_WHOLE, _PREFIX = 1.0, 0.99  # how much of a word of the title a word of the query is
_LEAST_LENGTH = 4  # shorter words are taken as typed: too many others are near
_LEAST_WORD_SIMILARITY = 0.7  # one mistake in four letters, two in seven
_LEAST_SIMILARITY = 0.5  # half of what was typed is found
_SIMILARITY_BAND = 0.2  # how much worse than the best found a similar title may be
_LAST_CHARACTER = chr(0x10FFFF)


class Fit(IntEnum):
    """How a title fits what was typed, best first."""

    EXACT = 0  # one of its names, articles and the year aside: "matrix", "the matrix 1999"
    JOINED = 1  # the same but for spaces: "godfather" typed as "god father"
    BEGINS = 2  # a name begins with these words
    WORDS = 3  # all words are there, anywhere
    BEGINS_PARTLY = 4  # a name begins so, its last word goes on
    PREFIXES = 5  # all are there or begin a word
    BEGINS_JOINED = 6  # a name begins so but for spaces
    SIMILAR = 7  # most of it is there, or nearly so
    NOT = 8


class TitleSearch:
    """Searches the titles of one bundle.

    Args:
        titles: By candidate row.
        popular_rows: int32 `[num_candidates]`, every candidate row, most rated first.
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
        # Split anew, so that the words lie together in memory: comparing with all takes a fifth of the time.
        self._vocabulary = " ".join(vocabulary).split()

    def search(self, query: str) -> NDArray[np.int32]:
        """The rows of every title that fits what was typed, best first.

        Args:
            query: Any text; where it is blank, every title fits, the most rated first.
        """
        words = words_of(query)[:MOST_WORDS]
        if not words:
            return self._popular_rows
        fits, similarities = self._fits(words)
        rows = np.flatnonzero(fits < Fit.NOT).astype(np.int32)
        order = np.lexsort((self._popularity_ranks[rows], -similarities[rows], fits[rows]))
        return rows[order]

    def _fits(self, words: list[str]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """By candidate row: how the title fits, int8, and, where only similar, how much, float32."""
        by_word = np.stack([self._word_similarities(word, last=word is words[-1]) for word in words])
        lengths = np.array([len(word) for word in words], np.float32)
        similarities = lengths @ by_word / lengths.sum()
        worst = by_word.min(axis=0)
        least = max(_LEAST_SIMILARITY, float(similarities.max()) - _SIMILARITY_BAND)
        fits = np.where(similarities >= least, Fit.SIMILAR, Fit.NOT).astype(np.int8)
        name = " ".join(without_article(words))
        joined = name.replace(" ", "")
        fits[self._joined.rows(joined, joined + _LAST_CHARACTER)] = Fit.BEGINS_JOINED
        fits[worst >= _PREFIX] = Fit.PREFIXES
        fits[self._names.rows(name, name + _LAST_CHARACTER)] = Fit.BEGINS_PARTLY
        fits[worst >= _WHOLE] = Fit.WORDS
        fits[self._names.rows(name + " ", name + "!")] = Fit.BEGINS  # "!" comes next after the space
        fits[self._joined.rows(joined, joined + " ")] = Fit.JOINED
        fits[self._names.rows_of(name)] = Fit.EXACT
        return fits, np.where(fits == Fit.SIMILAR, similarities, 0)

    def _word_similarities(self, word: str, *, last: bool) -> NDArray[np.float32]:
        """float32 `[num_candidates]`: how near the nearest word of each title is, 0 where none is near."""
        if len(word) < _LEAST_LENGTH:
            similarities = np.zeros(len(self._vocabulary), np.float32)
        else:
            similarities = _similarities(word, self._vocabulary)
            if last:  # it may not be typed to its end yet; its first letter is taken to be right
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
        """Where in the vocabulary the words that begin so are."""
        return slice(
            bisect_left(self._vocabulary, letters), bisect_left(self._vocabulary, letters + _LAST_CHARACTER)
        )


class _SortedNames:
    """Names in order, so that those that begin alike lie together."""

    def __init__(self, names: Iterable[tuple[str, int, int]]) -> None:
        ordered = sorted(names)
        self._names = [name for name, _, _ in ordered]
        self._rows = np.array([row for _, row, _ in ordered], np.int32)
        self._lengths_without_year = np.array([length for _, _, length in ordered], np.int32)

    def rows(self, first: str, after: str) -> NDArray[np.int32]:
        """Rows of the names from `first` to before `after`."""
        return self._rows[bisect_left(self._names, first) : bisect_left(self._names, after)]

    def rows_of(self, name: str) -> NDArray[np.int32]:
        """Rows of the names that are `name`, with or without their year."""
        start, end = bisect_left(self._names, name), bisect_left(self._names, name + "!")
        with_year = np.array([each == name for each in self._names[start:end]], np.bool_)
        without_year = self._lengths_without_year[start:end] == len(name)
        rows: NDArray[np.int32] = self._rows[start:end][with_year | without_year]
        return rows


def _similarities(word: str, others: Sequence[str]) -> NDArray[np.float32]:
    """float32 `[len(others)]`: 1 less mistakes (a letter more, less, other, swapped) per letter."""
    found: NDArray[np.float32] = cdist(
        [word],
        others,
        scorer=OSA.normalized_similarity,
        score_cutoff=_LEAST_WORD_SIMILARITY,
        dtype=np.float32,
    )[0]
    return found
