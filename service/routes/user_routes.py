"""`/users`: the known users of the bundle, and their histories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from service.bundle import NO_TIMESTAMP
from service.bundle.catalogue import Catalogue
from service.bundle.histories import History
from service.http.api_route import ApiRoute
from service.http.conditional import NOT_MODIFIED, caching, etag_of, is_kept, not_modified
from service.http.problems import document_problems
from service.live.live_users import NO_STORE
from service.routes.dependencies import BundleRecommender, FromServices
from service.routes.path_ids import ID
from service.schemas.ids import UrlUserId
from service.schemas.users import UserAnswer, UserParameters, UsersAnswer, UsersParameters

router = APIRouter(route_class=ApiRoute, tags=["movies and users"])


@router.get("/users", response_model=UsersAnswer, responses=document_problems(503, 504) | NOT_MODIFIED)
async def list_users(
    parameters: Annotated[UsersParameters, Query()],
    recommender: BundleRecommender,
    services: FromServices,
    request: Request,
) -> Response:
    """Users of the training data whose ids begin with what was typed, without those who were forgotten."""
    histories = recommender.histories
    feedback, tombstones = services.feedback, None
    if feedback is not None:
        feedback.read(())
        tombstones = feedback.tombstones
    etag = etag_of(recommender.bundle_id, tombstones.last_position if tombstones else 0)
    if is_kept(request, etag):
        return not_modified(etag)
    rows: Sequence[int] = histories.rows_beginning(parameters.query)
    if tombstones:
        forgotten = await services.catalogue_threads.run(lambda: recommender.forgotten_users.rows(tombstones))
        rows = [row for row in rows if row not in forgotten]
    page = rows[parameters.offset : parameters.offset + parameters.k]
    items = []
    for row in page:
        history = histories.of_user(row)
        items.append(
            {
                "user_id": histories.user_id_of(row),
                "num_movies": len(history),
                "mean_rating": history.mean_rating,
            }
        )
    return JSONResponse(
        {"bundle_id": recommender.bundle_id, "total": len(rows), "items": items}, headers=caching(etag)
    )


@router.get(
    f"/users/{{user_id:{ID}}}",
    response_model=UserAnswer,
    responses=document_problems(404, 503) | NOT_MODIFIED,
)
async def get_user(
    user_id: Annotated[UrlUserId, Path()],
    parameters: Annotated[UserParameters, Query()],
    recommender: BundleRecommender,
    services: FromServices,
    request: Request,
) -> Response:
    """A user's history, newest first: the bundle's, and over it what was posted since."""
    view = NO_STORE
    if (feedback := services.feedback) is not None:
        view = feedback.read([user_id])
        recommender = recommender.with_movies(view.posted)
    live = view.users.get(user_id)
    etag = etag_of(
        recommender.bundle_id, 0 if live is None else live.version, view.withheld.version, view.is_live
    )
    if is_kept(request, etag):
        return not_modified(etag)
    history = recommender.stored_users.known(user_id, live).history
    newest_first = range(len(history) - 1, -1, -1)
    page = newest_first[parameters.offset : parameters.offset + parameters.k]
    return JSONResponse(
        {
            "bundle_id": recommender.bundle_id,
            "user_id": user_id,
            "num_movies": len(history),
            "num_ratings": len(history.given),
            "mean_rating": history.mean_rating,
            "items": [_seen(recommender.catalogue, history, position) for position in page],
        }
        | ({} if view.is_live else {"live": False}),
        headers=caching(etag),
    )


def _seen(movies: Catalogue, history: History, position: int) -> dict[str, Any]:
    row, stars = int(history.rows[position]), history.ratings[position]
    timestamp = int(history.timestamps[position])
    return {
        "movie_id": movies.movie_ids[row],
        "title": movies.titles[row],
        "display_title": movies.display_title(row),
        "genres": movies.genres[row],
        "year": movies.years[row],
        # In the decimals of the data: 4.3 as float32 is 4.300000190734863 as JSON would print it.
        "rating": None if np.isnan(stars) else float(str(stars)),
        "timestamp": None if timestamp == NO_TIMESTAMP else timestamp,
    }
