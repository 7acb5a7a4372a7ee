"""Answers gathered requests of both kinds with one bundle: two model calls, JSON out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.errors import RequestError
from service.recommending.batch_record import BatchRecord
from service.recommending.queries import RatingQuery, RecommendQuery
from service.recommending.recommender import Recommender
from service.telemetry.observer import Observer

Query = RecommendQuery | RatingQuery
Encoded = bytes | RequestError
"""An answer's JSON, or why there is none."""


def answer_queries(
    recommender: Recommender,
    queries: Sequence[Query],
    observer: Observer,
    is_wanted: Callable[[], bool] = lambda: True,
) -> list[Encoded]:
    """By request its answer; requests of one kind share their model calls.

    Args:
        recommender: The bundle that answers all of them.
        queries: Of either kind, in any order.
        observer: Is told how long what took and what came out.
        is_wanted: See `Recommender.recommend_many`.
    """
    encoded: list[Encoded] = [b""] * len(queries)
    recommend = [(place, query) for place, query in enumerate(queries) if isinstance(query, RecommendQuery)]
    if recommend:
        record = BatchRecord()
        observer.batch("recommend", len(recommend))
        answers = recommender.recommend_many([query for _, query in recommend], record, is_wanted=is_wanted)
        for (place, query), answer in zip(recommend, answers, strict=True):
            if isinstance(answer, RequestError):
                encoded[place] = answer
            else:
                encoded[place] = recommender.encoder.recommendation(query, answer)
                observer.served(answer.source, len(answer.rows))
        record.lap("encode")
        record.report(observer)
    rate = [(place, query) for place, query in enumerate(queries) if isinstance(query, RatingQuery)]
    if rate:
        record = BatchRecord()
        observer.batch("predict_rating", len(rate))
        predictions = recommender.predict_many([query for _, query in rate], record)
        for (place, asked), predicted in zip(rate, predictions, strict=True):
            if isinstance(predicted, RequestError):
                encoded[place] = predicted
            else:
                encoded[place] = recommender.encoder.rating(asked, predicted)
        record.lap("encode")
        record.report(observer)
    return encoded
