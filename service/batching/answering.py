"""Answer batches of queries as encoded JSON, and report what they took."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from service.live.live_users import NO_STORE, LiveView
from service.live.recommendation_ids import Recommended
from service.recommending.encoding import Encoded
from service.recommending.queries import Query, RatingQuery, Recommendation, RecommendQuery
from service.recommending.recommender import Recommender
from service.recommending.stage_times import StageTimes
from service.telemetry.observer import Endpoint, Observer, Source

_KINDS: dict[Endpoint, type[Query]] = {"recommend": RecommendQuery, "predict_rating": RatingQuery}


@dataclass(slots=True)
class EncodedAnswers:
    """The answers to a batch of queries.

    Attributes:
        bundle_id: Of the bundle that made all of them.
        encoded: One for each query, in the queries' order.
    """

    bundle_id: str
    encoded: list[Encoded]


class BatchAnswerer:
    """Answers batches with one recommender, whose `answer` is the one path of every request.

    Args:
        recommender: Returns the recommender of the bundle served; may raise `BundleError`.
        observer: Receives batch sizes, seconds by stage and what was served.
        live: Returns what the store of feedback holds of the users of a batch; None where there is no store.
    """

    def __init__(
        self,
        recommender: Callable[[], Recommender],
        observer: Observer,
        live: Callable[[Iterable[str]], LiveView] | None = None,
    ) -> None:
        self._recommender = recommender
        self._observer = observer
        self._live = live

    def __call__(
        self, queries: Sequence[Query], is_wanted: Callable[[], bool] = lambda: True
    ) -> EncodedAnswers:
        """Answer queries of either kind, in any order.

        Args:
            queries: At least one.
            is_wanted: See `Recommender.answer`.

        Raises:
            BundleError: No bundle is served.
        """
        recommender, observer = self._recommender(), self._observer
        kinds = [*map(type, queries)]
        for endpoint, kind in _KINDS.items():
            if size := kinds.count(kind):
                observer.batch(endpoint, size)
        times = StageTimes()
        view = NO_STORE
        if self._live is not None:
            view = self._live([query.user_id for query in queries if query.user_id is not None])
            recommender = recommender.with_movies(view.posted)
            times.lap("live")
        answers = recommender.answer(queries, live=view, times=times, is_wanted=is_wanted)
        encoded = recommender.encoder.encode(
            queries, answers, is_live=view.is_live, recommendation_id=_id_maker(view, recommender.bundle_id)
        )
        served: Counter[Source] = Counter()
        for answer in answers:
            if isinstance(answer, Recommendation):
                served[answer.source] += len(answer.rows)
        for source, count in served.items():
            observer.served(source, count)
        times.lap("encode")
        times.report(observer)
        return EncodedAnswers(recommender.bundle_id, encoded)


def _id_maker(view: LiveView, bundle_id: str) -> Callable[[Source], str] | None:
    """What makes the ids of lists that are answered now; None without a store."""
    ids = view.recommendation_ids
    if ids is None:
        return None
    now = int(time.time())
    return lambda source: ids.make(Recommended(now, source, bundle_id))
