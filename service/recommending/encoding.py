"""Encode answers as JSON from prepared fragments: most of an item is the same for every user.

Building and validating pydantic models of hundreds of items would cost more than finding them. Tests compare
the output with the declared schemas.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from pydantic_core import to_json

from service.bundle.catalogue import Catalogue
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
        self, query: Query, answer: Answer, *, is_live: bool = True, recommendation_id: str | None = None
    ) -> bytes:
        """The JSON of one answer, in UTF-8; without `is_live` it says that the store could not be read.

        Raises:
            TypeError: The answer is not of the query's kind.
        """
        if isinstance(query, RecommendQuery) and isinstance(answer, Recommendation):
            return self._recommendation(query, answer, is_live, recommendation_id)
        if isinstance(query, RatingQuery) and isinstance(answer, PredictedRating):
            return self._rating(query, answer, is_live)
        raise TypeError(f"expected the answer to a {type(query).__name__}, got a {type(answer).__name__}")

    def _recommendation(
        self,
        query: RecommendQuery,
        answer: Recommendation,
        is_live: bool,
        recommendation_id: str | None,
    ) -> bytes:
        """A `schemas.recommendations.RecommendAnswer`."""
        count = len(answer.rows)
        scores = answer.scores.tolist()
        # What orders most lists is the score.
        differ = answer.is_reordered or answer.explored is not None
        keys = answer.rank_scores.tolist() if differ else ()
        stars = answer.predicted_ratings.tolist() if self._has_ratings else ()
        numbers = _numbers([*scores, *keys, *stars])
        fields = [""] * (5 * count)
        fields[0::5] = map(self._movies.__getitem__, answer.rows.tolist())
        fields[1::5] = numbers[:count]
        fields[2::5] = numbers[count : 2 * count] if differ else numbers[:count]
        fields[3::5] = numbers[len(scores) + len(keys) :] if self._has_ratings else ["null"] * count
        if answer.because is not None:
            fields[4::5] = [self._reasons("because", reasons) for reasons in answer.because]
        if answer.although is not None:
            for place, reasons in enumerate(answer.although):
                if reasons:
                    fields[5 * place + 4] += self._reasons("although", reasons)
        if answer.explored is not None:
            for place in np.flatnonzero(answer.explored).tolist():
                fields[5 * place + 4] += ',"explored":true'
        items = _items_form(answer.offset, count, answer.source) % tuple(fields)
        head = f'{{"user_id":{_text(query.user_id)},"bundle_id":{self._bundle_id},"source":"{answer.source}"'
        if recommendation_id is not None:
            head = f'{head},"recommendation_id":{_text(recommendation_id)}'
        return f'{head},"items":[{items}]{_notes(answer.ignored, is_live)}}}'.encode()

    def _rating(self, query: RatingQuery, answer: PredictedRating, is_live: bool) -> bytes:
        """A `schemas.ratings.RatingAnswer`."""
        return (
            f'{{"user_id":{_text(query.user_id)},{self._names[answer.row]},"predicted_rating":{answer.stars!r},'
            f'"known_user":{"true" if answer.known_user else "false"},'
            f'"bundle_id":{self._bundle_id}{_notes(answer.ignored, is_live)}}}'
        ).encode()

    def _reasons(self, name: str, reasons: Sequence[Contribution]) -> str:
        named = (
            f'{{{self._names[each.row]},"rating":{_json(each.stars)},"contribution":{each.score!r}}}'
            for each in reasons
        )
        return f',"{name}":[{",".join(named)}]'


class _Names(dict[int, str]):
    """JSON fields that name movies, by candidate row, made when first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __missing__(self, row: int) -> str:
        movies = self._catalogue
        fields = {
            "movie_id": movies.movie_ids[row],
            "title": movies.titles[row],
            "display_title": movies.display_title(row),
        }
        piece = self[row] = _json(fields)[1:-1]
        return piece


class _Movies(dict[int, str]):
    """JSON fields of movies in lists, likewise."""

    def __init__(self, catalogue: Catalogue, names: _Names) -> None:
        self._catalogue = catalogue
        self._names = names

    def __missing__(self, row: int) -> str:
        fields = {"genres": self._catalogue.genres[row], "year": self._catalogue.years[row]}
        piece = self[row] = f"{self._names[row]},{_json(fields)[1:-1]}"
        return piece


@lru_cache(maxsize=1024)
def _items_form(offset: int, count: int, source: Source) -> str:
    """Items to be filled in: of each the movie, score, key, stars, and what else there is to say."""
    return ",".join(
        f'{{"rank":{rank},%s,"score":%s,"rank_score":%s,"predicted_rating":%s,"source":"{source}"%s}}'
        for rank in range(offset + 1, offset + count + 1)
    )


def _numbers(numbers: Sequence[float]) -> list[str]:
    """Each in as few digits as identify it."""
    return to_json(numbers)[1:-1].decode().split(",") if numbers else []


def _notes(ignored: Sequence[str], is_live: bool) -> str:
    """What is said only where there is something to say."""
    text = f',"ignored":{_json(list(ignored))}' if ignored else ""
    return text if is_live else f'{text},"live":false'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(value: str | None) -> str:
    """As `_json`, in a fraction of the time."""
    return to_json(value).decode()
