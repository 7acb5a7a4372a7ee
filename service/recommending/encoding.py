"""Encode answers as JSON from prepared fragments: most of an item is the same for every user.

Building and validating pydantic models of hundreds of items would cost more than finding them. Tests compare
the output with the declared schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np

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
        self._movies: dict[int, str] = {}
        self._names: dict[int, str] = {}

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
        because: Iterable[Sequence[Contribution] | None]
        because = repeat(None, len(answer.rows)) if answer.because is None else answer.because
        source = f',"source":"{answer.source}"'
        # To write a number in as few digits as identify it takes long: what orders most lists is
        # the score.
        scores = [repr(score) for score in answer.scores.tolist()]
        differ = answer.is_reordered or answer.explored is not None
        keys = [repr(key) for key in answer.rank_scores.tolist()] if differ else scores
        predicted = answer.predicted_ratings.tolist()
        ratings = map(repr, predicted) if self._has_ratings else repeat("null", len(predicted))
        items = [
            f'{{"rank":{rank},{self._movie(row)},"score":{score},"rank_score":{key},'
            f'"predicted_rating":{stars}{source}{self._reasons("because", reasons)}}}'
            for rank, row, score, key, stars, reasons in zip(
                range(answer.offset + 1, answer.offset + 1 + len(answer.rows)),
                answer.rows.tolist(),
                scores,
                keys,
                ratings,
                because,
                strict=True,
            )
        ]
        if answer.although is not None:
            for place, reasons in enumerate(answer.although):
                if reasons:
                    items[place] = f"{items[place][:-1]}{self._reasons('although', reasons)}}}"
        if answer.explored is not None:
            for place in np.flatnonzero(answer.explored).tolist():
                items[place] = f'{items[place][:-1]},"explored":true}}'
        head = f'{{"user_id":{_json(query.user_id)},"bundle_id":{self._bundle_id}{source}'
        if recommendation_id is not None:
            head = f'{head},"recommendation_id":{_json(recommendation_id)}'
        return f'{head},"items":[{",".join(items)}]{_notes(answer.ignored, is_live)}}}'.encode()

    def _rating(self, query: RatingQuery, answer: PredictedRating, is_live: bool) -> bytes:
        """A `schemas.ratings.RatingAnswer`."""
        return (
            f'{{"user_id":{_json(query.user_id)},{self._name(answer.row)},"predicted_rating":{answer.stars!r},'
            f'"known_user":{"true" if answer.known_user else "false"},'
            f'"bundle_id":{self._bundle_id}{_notes(answer.ignored, is_live)}}}'
        ).encode()

    def _movie(self, row: int) -> str:
        piece = self._movies.get(row)
        if piece is None:
            fields = {"genres": self._catalogue.genres[row], "year": self._catalogue.years[row]}
            piece = self._movies[row] = f"{self._name(row)},{_json(fields)[1:-1]}"
        return piece

    def _name(self, row: int) -> str:
        piece = self._names.get(row)
        if piece is None:
            movies = self._catalogue
            fields = {
                "movie_id": movies.movie_ids[row],
                "title": movies.titles[row],
                "display_title": movies.display_title(row),
            }
            piece = self._names[row] = _json(fields)[1:-1]
        return piece

    def _reasons(self, name: str, reasons: Sequence[Contribution] | None) -> str:
        if reasons is None:
            return ""
        named = (
            f'{{{self._name(each.row)},"rating":{_json(each.stars)},"contribution":{each.score!r}}}'
            for each in reasons
        )
        return f',"{name}":[{",".join(named)}]'


def _notes(ignored: Sequence[str], is_live: bool) -> str:
    """What is said only where there is something to say."""
    text = f',"ignored":{_json(list(ignored))}' if ignored else ""
    return text if is_live else f'{text},"live":false'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
