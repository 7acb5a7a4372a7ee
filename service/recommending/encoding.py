"""Encode answers as JSON from prepared fragments: most of an item is the same for every user.

Building and validating pydantic models of hundreds of items would cost more than finding them. Tests compare
the output with the declared schemas.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from service.bundle.catalogue import Catalogue
from service.errors import RequestError
from service.recommending.queries import (
    Answer,
    Contribution,
    PredictedRating,
    Query,
    RatingQuery,
    Recommendation,
    RecommendQuery,
)
from service.telemetry.observer import Source

Encoded = bytes | RequestError
"""An answer's JSON in UTF-8, or why there is none."""

_PIECES = 8
"""Of an item: its rank; the movie; score; what names the key; key; what names the stars; stars; the rest."""


class AnswerEncoder:
    """Encodes the answers of one bundle; a movie's fragment is made when first needed, and cached.

    Args:
        catalogue: Its movies.
        bundle_id: Its name.
        has_ratings: Whether it predicts ratings; without, those of lists are null.
    """

    def __init__(self, catalogue: Catalogue, bundle_id: str, *, has_ratings: bool = True) -> None:
        self._catalogue = catalogue
        self._bundle_id = _json(bundle_id)
        self._has_ratings = has_ratings
        self._names = _Names(catalogue)
        self._movies = _Movies(catalogue, self._names)

    def encode(
        self,
        queries: Sequence[Query],
        answers: Sequence[Answer | RequestError],
        *,
        is_live: bool = True,
        recommendation_id: Callable[[Source], str] | None = None,
    ) -> list[Encoded]:
        """The JSON of each answer of a batch; an error stays what it is.

        Args:
            queries: That were answered.
            answers: As many, in their order.
            is_live: Without it each says that the store could not be read.
            recommendation_id: Makes the id of a list; None where lists have none.

        Raises:
            TypeError: An answer is not of its query's kind.
        """
        encoded: dict[int, Encoded] = {}
        lists: dict[int, tuple[RecommendQuery, Recommendation]] = {}
        for place, (query, answer) in enumerate(zip(queries, answers, strict=True)):
            if isinstance(answer, RequestError):
                encoded[place] = answer
            elif isinstance(query, RecommendQuery) and isinstance(answer, Recommendation):
                lists[place] = query, answer
            elif isinstance(query, RatingQuery) and isinstance(answer, PredictedRating):
                encoded[place] = self._rating(query, answer, is_live)
            else:
                raise TypeError(
                    f"expected the answer to a {type(query).__name__}, got a {type(answer).__name__}"
                )
        if lists:
            encoded.update(
                zip(lists, self._lists([*lists.values()], is_live, recommendation_id), strict=True)
            )
        return [encoded[place] for place in range(len(queries))]

    def _lists(
        self,
        asked: Sequence[tuple[RecommendQuery, Recommendation]],
        is_live: bool,
        recommendation_id: Callable[[Source], str] | None,
    ) -> Iterator[bytes]:
        """Each a `schemas.recommendations.RecommendAnswer`; numbers and movies of all at once."""
        lists = [answer for _, answer in asked]
        pieces: list[bytes] = []
        for each in lists:
            pieces += _items_form(each.offset, len(each.rows), each.source)
        pieces[1::_PIECES] = map(self._movies.__getitem__, _joined([each.rows for each in lists]))
        pieces[2::_PIECES] = pieces[4::_PIECES] = _numbers([each.scores for each in lists])
        if self._has_ratings:
            pieces[6::_PIECES] = _numbers([each.predicted_ratings for each in lists])
        heads: dict[Source, bytes] = {}
        end = 0
        for query, answer in asked:
            start, end = end, end + _PIECES * len(answer.rows)
            items = pieces[start:end]
            self._add_rest(items, answer)
            head = heads.get(answer.source)
            if head is None:
                head = heads[answer.source] = self._head(answer.source, recommendation_id)
            tail = b"}]" if items else b"]"
            notes = _notes(answer.ignored, is_live)
            yield b"".join((b'{"user_id":', to_json(query.user_id), head, *items, tail, notes, b"}"))

    def _head(self, source: Source, recommendation_id: Callable[[Source], str] | None) -> bytes:
        """What stands between the user's id and the items."""
        id_ = b""
        if recommendation_id is not None:
            id_ = b',"recommendation_id":' + to_json(recommendation_id(source))
        return b',"bundle_id":%b,"source":"%b"%b,"items":[' % (self._bundle_id, source.encode(), id_)

    def _add_rest(self, items: list[bytes], answer: Recommendation) -> None:
        """Write into the pieces of a list's items what few lists have."""
        if answer.is_reordered or answer.explored is not None:
            items[4::_PIECES] = _numbers([answer.rank_scores])
        if answer.because is not None:
            for place, reasons in enumerate(answer.because):
                items[_PIECES * place + 7] += self._reasons("because", reasons)
        if answer.although is not None:
            for place, reasons in enumerate(answer.although):
                if reasons:
                    items[_PIECES * place + 7] += self._reasons("although", reasons)
        if answer.explored is not None:
            for place in np.flatnonzero(answer.explored).tolist():
                items[_PIECES * place + 7] += b',"explored":true'

    def _rating(self, query: RatingQuery, answer: PredictedRating, is_live: bool) -> bytes:
        """A `schemas.ratings.RatingAnswer`."""
        return b'{"user_id":%b,%b,"predicted_rating":%b,"known_user":%b,"bundle_id":%b%b}' % (
            to_json(query.user_id),
            self._names[answer.row],
            repr(answer.stars).encode(),
            b"true" if answer.known_user else b"false",
            self._bundle_id,
            _notes(answer.ignored, is_live),
        )

    def _reasons(self, name: str, reasons: Sequence[Contribution]) -> bytes:
        named = (
            b'{%b,"rating":%b,"contribution":%b}'
            % (self._names[each.row], _json(each.stars), repr(each.score).encode())
            for each in reasons
        )
        return b',"%b":[%b]' % (name.encode(), b",".join(named))


class _Names(dict[int, bytes]):
    """JSON fields that name movies, by candidate row, made when first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __missing__(self, row: int) -> bytes:
        movies = self._catalogue
        fields = {
            "movie_id": movies.movie_ids[row],
            "title": movies.titles[row],
            "display_title": movies.display_title(row),
        }
        piece = self[row] = _json(fields)[1:-1]
        return piece


class _Movies(dict[int, bytes]):
    """JSON fields of movies in lists, likewise."""

    def __init__(self, catalogue: Catalogue, names: _Names) -> None:
        self._catalogue = catalogue
        self._names = names

    def __missing__(self, row: int) -> bytes:
        fields = {"genres": self._catalogue.genres[row], "year": self._catalogue.years[row]}
        piece = self[row] = b'%b,%b,"score":' % (self._names[row], _json(fields)[1:-1])
        return piece


@lru_cache(maxsize=1024)
def _items_form(offset: int, count: int, source: Source) -> list[bytes]:
    """Pieces of items, to be filled in with movies, scores, keys and stars; the last is not closed."""
    form: list[bytes] = []
    for rank in range(offset + 1, offset + count + 1):
        form += [
            b'%b"rank":%d,' % (b"},{" if form else b"{", rank),
            b"",
            b"",
            b',"rank_score":',
            b"",
            b',"predicted_rating":',
            b"null",
            b',"source":"%b"' % source.encode(),
        ]
    return form


def _joined(arrays: Sequence[NDArray[Any]]) -> list[Any]:
    joined: list[Any] = (arrays[0] if len(arrays) == 1 else np.concatenate(arrays)).tolist()
    return joined


def _numbers(arrays: Sequence[NDArray[Any]]) -> list[bytes]:
    """The numbers of all arrays, each in as few digits as identify it."""
    numbers = _joined(arrays)
    return to_json(numbers)[1:-1].split(b",") if numbers else []


def _notes(ignored: Sequence[str], is_live: bool) -> bytes:
    """What is said only where there is something to say."""
    text = b',"ignored":' + _json(list(ignored)) if ignored else b""
    return text if is_live else text + b',"live":false'


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
