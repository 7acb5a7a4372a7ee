"""The tutorials' candidates: titles, several movies of one title being one candidate."""

from __future__ import annotations

import string
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.table import MovieTable
from training.model.features import FeatureBags

# TensorFlow's `strings.lower` changes only ASCII.
_LOWER_WITHOUT_PUNCTUATION = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, string.punctuation)
# Keras's TextVectorization counts the padding and the unknown among its tokens.
_RESERVED_TOKENS = 2
_UNKNOWN = "[UNK]"


@dataclass(frozen=True, eq=False)
class Titles:
    """The candidates.

    Attributes:
        names: Distinct titles in the order of their first movies, `[C]`.
        movie_ids: Of the first movie of each title.
        row_of_movie: int32 `[num_movies]`, the title of each movie.
    """

    names: tuple[str, ...]
    movie_ids: tuple[str, ...]
    row_of_movie: NDArray[np.int32]

    @classmethod
    def of(cls, movies: MovieTable) -> Titles:
        """Collect the titles of a movie table."""
        rows: dict[str, int] = {}
        row_of_movie = [rows.setdefault(title, len(rows)) for title in movies.titles]
        first = np.unique(row_of_movie, return_index=True)[1]
        return cls(tuple(rows), tuple(movies.movie_ids[at] for at in first), np.array(row_of_movie, np.int32))

    def __len__(self) -> int:
        return len(self.names)

    def words(self, max_tokens: int) -> FeatureBags:
        """Build bags of each title's words, whose sum is their mean; a repeated word counts twice.

        Args:
            max_tokens: The most frequent words are kept, two fewer than this; all others are one unknown.
        """
        words = [tokens(name) for name in self.names]
        counts = Counter(word for of_title in words for word in of_title)
        kept = {word for word, _ in counts.most_common(max_tokens - _RESERVED_TOKENS)}
        return FeatureBags.from_groups(
            [[[word if word in kept else _UNKNOWN for word in of_title]] for of_title in words], power=1.0
        )


def tokens(title: str) -> list[str]:
    """Split into words as Keras's TextVectorization: ASCII in lower case, no punctuation, at whitespace."""
    return title.translate(_LOWER_WITHOUT_PUNCTUATION).split()
