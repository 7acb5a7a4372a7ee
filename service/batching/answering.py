"""Answers gathered requests of both kinds with one bundle: one model call, JSON out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from service.errors import RequestError
from service.recommending.batch_record import BatchRecord
from service.recommending.queries import Query, RatingQuery, RecommendQuery
from service.recommending.recommender import Recommender
from service.recommending.tasks import ListTask, RatingTask
from service.telemetry.observer import Endpoint, Observer

_KINDS: dict[Endpoint, type[Query]] = {"recommend": RecommendQuery, "predict_rating": RatingQuery}

Encoded = bytes | RequestError
"""An answer's JSON, or why there is none."""


def answer_queries(
    recommender: Recommender,
    queries: Sequence[Query],
    observer: Observer,
    is_wanted: Callable[[], bool] = lambda: True,
) -> list[Encoded]:
    """By request its answer.

    Args:
        recommender: The bundle that answers all of them.
        queries: Of either kind, in any order.
        observer: Is told how long what took and what came out.
        is_wanted: See `Recommender.make_lists`.
    """
    for endpoint, kind in _KINDS.items():
        if size := sum(isinstance(query, kind) for query in queries):
            observer.batch(endpoint, size)
    record = BatchRecord()
    prepared = [recommender.tasks.make(query) for query in queries]
    tasks = [task for task in prepared if not isinstance(task, RequestError)]
    record.lap("history")
    states = recommender.states.read([task.user for task in tasks])
    record.lap("embed")
    answered: dict[int, Encoded] = {}
    lists = {place: task for place, task in enumerate(tasks) if isinstance(task, ListTask)}
    if lists:
        made = recommender.make_lists([*lists.values()], states[[*lists]], record, is_wanted=is_wanted)
        for (place, wanted), answer in zip(lists.items(), made, strict=True):
            answered[place] = recommender.encoder.recommendation(wanted.query, answer)
            observer.served(answer.source, len(answer.rows))
        record.lap("encode")
    ratings = {place: task for place, task in enumerate(tasks) if isinstance(task, RatingTask)}
    if ratings:
        predicted = recommender.predict_stars([*ratings.values()], states[[*ratings]], record)
        for (place, asked), rating in zip(ratings.items(), predicted, strict=True):
            answered[place] = recommender.encoder.rating(asked.query, rating)
        record.lap("encode")
    record.report(observer)
    places = iter(range(len(tasks)))
    return [each if isinstance(each, RequestError) else answered[next(places)] for each in prepared]
