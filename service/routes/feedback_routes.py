"""`/feedback`, `/users/{user_id}/feedback`: what users did, posted and in force in the next request."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from anyio import fail_after
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse

from service.errors import DeadlineExceeded, FeedbackOff, InvalidField, QueueFull, RequestError, UnknownMovie
from service.http.api_route import ApiRoute
from service.http.problem_details import problem_of, problem_of_fields
from service.http.problems import document_problems
from service.live.events import NOTHING_DONE, REMOVED, Event, Outcome, Verdict
from service.live.live_feedback import LiveFeedback
from service.live.recommendation_ids import Recommended
from service.live.store import feedback_of
from service.recommending.queries import RatingQuery
from service.recommending.recommender import Recommender
from service.routes.dependencies import BundleRecommender, FromServices, Services, services_of, with_posted
from service.routes.path_ids import ID
from service.schemas.batches import Refused
from service.schemas.feedback import FeedbackAnswer, FeedbackBody
from service.schemas.feedback_event import FeedbackEvent
from service.schemas.ids import UrlMovieId, UrlUserId
from service.schemas.user_feedback import (
    ForgottenAnswer,
    RemovedAnswer,
    UserFeedbackAnswer,
    UserFeedbackParameters,
)

router = APIRouter(route_class=ApiRoute, tags=["feedback"])

T = TypeVar("T")

MOST_PREDICTED = 20
"""Ratings of one request whose predictions are compared: it may have a thousand."""


@router.post("/feedback", response_model=FeedbackAnswer, responses=document_problems(403, 413, 503, 504))
async def post_feedback(
    body: FeedbackBody, request: Request, recommender: BundleRecommender, services: FromServices
) -> JSONResponse:
    """What users did. Once it is answered it is on the disk, and in force in every request that follows."""
    feedback = required_feedback(services)
    events: list[Event] = []
    rejected: list[dict[str, Any]] = []
    unknown: dict[str, None] = {}
    if any(
        not isinstance(each, Refused) and recommender.catalogue.find(each.movie_id) is None
        for each in body.events
    ):  # only then, as it may be a query
        recommender = with_posted(recommender, services)
    for index, each in enumerate(body.events):
        place = f"body.events.{index}"
        if isinstance(each, Refused):
            problem = problem_of_fields(each.errors, ("body", "events", index))
            rejected.append({"index": index, "error": problem})
            continue
        error = refusal(each, recommender, strict=body.strict)
        if error is not None:
            rejected.append({"index": index, "error": problem_of(error, place)})
            continue
        if recommender.catalogue.find(each.movie_id) is None:
            unknown[each.movie_id] = None
        events.append(each.to_event())
    if events:
        shown = _shown(feedback, events)
        predicted = await _predicted(request, recommender, shown)
        outcome = await in_time(services, lambda: feedback.write(events))
        _count_shown(services, shown, predicted, outcome)
    else:
        outcome = NOTHING_DONE._replace(position=await services.catalogue_threads.run(feedback.position))
    services.telemetry.feedback(events, outcome, len(rejected))
    return JSONResponse(
        {
            "stored": outcome.stored,
            "unchanged": outcome.unchanged,
            "superseded": outcome.superseded,
            "unknown_movies": [*unknown],
            "rejected": rejected,
            "position": outcome.position,
        }
    )


def _shown(feedback: LiveFeedback, events: Sequence[Event]) -> dict[int, tuple[Event, Recommended]]:
    """By place the events about movies that an answer of this service showed, and which answer."""
    ids = feedback.recommendation_ids
    shown = {}
    for place, event in enumerate(events):
        if ids is not None and event.recommendation_id is not None:
            recommended = ids.read(event.recommendation_id)
            if recommended is not None:
                shown[place] = event, recommended
    return shown


async def _predicted(
    request: Request, recommender: Recommender, shown: Mapping[int, tuple[Event, Recommended]]
) -> dict[int, float]:
    """By place the stars that are predicted of the first few ratings, before those are known."""
    if recommender.manifest.rating_scale is None:
        return {}
    rated = {place: event for place, (event, _) in shown.items() if event.type == "rating"}
    places = [
        place for place, event in rated.items() if recommender.catalogue.find(event.movie_id) is not None
    ][:MOST_PREDICTED]
    if not places:
        return {}
    queries = [RatingQuery(user_id=rated[place].user_id, movie_id=rated[place].movie_id) for place in places]
    try:
        answers = await services_of(request).batcher.ask(queries, request.is_disconnected)
    except (QueueFull, DeadlineExceeded):  # a figure less
        return {}
    return {
        place: json.loads(answer)["predicted_rating"]
        for place, answer in zip(places, answers.encoded, strict=True)
        if isinstance(answer, bytes)
    }


def _count_shown(
    services: Services,
    shown: Mapping[int, tuple[Event, Recommended]],
    predicted: Mapping[int, float],
    outcome: Outcome,
) -> None:
    for place, (event, recommended) in shown.items():
        if outcome.verdicts[place] is not Verdict.STORED:
            continue
        services.telemetry.recommended(recommended.bundle_id, recommended.source, event.type)
        if place in predicted and event.value is not None:
            services.telemetry.rating_error(recommended.bundle_id, event.value - predicted[place])


@router.get(
    f"/users/{{user_id:{ID}}}/feedback",
    response_model=UserFeedbackAnswer,
    responses=document_problems(403, 503, 504),
)
async def get_user_feedback(
    user_id: Annotated[UrlUserId, Path()],
    parameters: Annotated[UserFeedbackParameters, Query()],
    services: FromServices,
) -> JSONResponse:
    """What is stored of a user, newest first: of each movie and type the latest."""
    feedback = required_feedback(services)
    kept = await services.catalogue_threads.run(
        lambda: feedback.query(lambda connection: feedback_of(connection, user_id))
    )
    newest_first = sorted(kept.states, key=lambda state: (-state.timestamp, -state.position))
    page = newest_first[parameters.offset : parameters.offset + parameters.k]
    return JSONResponse(
        {
            "user_id": user_id,
            "version": kept.version,
            "total": len(newest_first),
            "clicks": kept.counts.get("click", 0),
            "impressions": kept.counts.get("impression", 0),
            "items": [
                {name: value for name, value in state._asdict().items() if name != "user_id"}
                for state in page
            ],
        }
    )


@router.delete(
    f"/users/{{user_id:{ID}}}/feedback/{{movie_id:{ID}}}", responses=document_problems(403, 503, 504)
)
async def remove_feedback(
    user_id: Annotated[UrlUserId, Path()], movie_id: Annotated[UrlMovieId, Path()], services: FromServices
) -> RemovedAnswer:
    """Takes a movie out of a user's history, also out of what a bundle has of it, and shows it again."""
    feedback = required_feedback(services)
    event = Event(user_id, movie_id, REMOVED)
    outcome = await in_time(services, lambda: feedback.write([event]))
    services.telemetry.feedback([event], outcome, 0)
    return RemovedAnswer(user_id=user_id, movie_id=movie_id, position=outcome.position)


@router.delete(f"/users/{{user_id:{ID}}}", responses=document_problems(403, 503, 504))
async def forget_user(
    user_id: Annotated[UrlUserId, Path()], recommender: BundleRecommender, services: FromServices
) -> ForgottenAnswer:
    """Forgets a user: what is stored goes, and no answer has anything of the user, whatever bundle is served.

    A keyed hash of the id stays, which masks the user in every bundle, also in one that is rolled back to.
    Feedback that is posted afterwards is a new user's.
    """
    feedback = required_feedback(services)
    position = await in_time(services, lambda: feedback.forget(user_id))
    without = recommender.histories.user_row(user_id) is None
    return ForgottenAnswer(user_id=user_id, position=position, bundle_trained_without=without)


def required_feedback(services: Services) -> LiveFeedback:
    """The store of feedback.

    Raises:
        FeedbackOff: The service has none.
    """
    if services.feedback is None:
        raise FeedbackOff(
            "this service keeps no feedback (MATINEE_STORE=off); set MATINEE_STORE to a path or a URL"
        )
    return services.feedback


async def in_time(services: Services, work: Callable[[], Awaitable[T]]) -> T:
    """The result of writing.

    Raises:
        DeadlineExceeded: It took longer than a request may; it may be stored all the same.
    """
    try:
        with fail_after(services.timeout_seconds):
            return await work()
    except TimeoutError as error:
        services.telemetry.rejected("deadline")
        raise DeadlineExceeded(
            f"not stored within {1000 * services.timeout_seconds:g} ms, and it may be stored later; send it "
            "again: with "
            "a timestamp or an event_id that changes nothing where it is"
        ) from error


def refusal(event: FeedbackEvent, recommender: Recommender, *, strict: bool) -> RequestError | None:
    """Why the live bundle lets an event not be stored; None where it does.

    Args:
        event: Well-formed.
        recommender: Of the live bundle: its scale of stars, and its movies.
        strict: Whether to refuse movies that it does not know.
    """
    scale = recommender.manifest.rating_scale
    if event.type == "rating" and scale is not None and event.value is not None:
        low, high = scale
        if not low <= event.value <= high:
            return InvalidField(
                f"expected a rating from {low:g} to {high:g} stars, got {event.value:g}", field="value"
            )
    if strict:
        try:
            recommender.catalogue.row_of(event.movie_id)
        except UnknownMovie as error:
            return error
    return None
