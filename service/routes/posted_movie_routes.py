"""`PUT` and `DELETE /movies/{movie_id}`, `POST /movies`: movies as apps describe them, in force at once."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from service.errors import CannotPlace, InvalidField, RequestError
from service.http.api_route import ApiRoute
from service.http.problem_details import problem_of, problem_of_fields
from service.http.problems import document_problems
from service.live.posted_movies import NO_YEAR, MoviePut, PutOutcome
from service.recommending.recommender import Recommender
from service.routes.dependencies import FromServices, LiveRecommender, Services, live_view
from service.routes.feedback_routes import in_time, required_feedback
from service.routes.path_ids import ID
from service.schemas.batches import Refused
from service.schemas.ids import UrlMovieId
from service.schemas.put_movies import MovieBody, MoviesBody, PutMovieAnswer, PutMoviesAnswer

router = APIRouter(route_class=ApiRoute, tags=["feedback"])


@router.put(f"/movies/{{movie_id:{ID}}}", responses=document_problems(403, 409, 413, 503, 504))
async def put_movie(
    movie_id: Annotated[UrlMovieId, Path()],
    body: MovieBody,
    recommender: LiveRecommender,
    services: FromServices,
) -> PutMovieAnswer:
    """Describes a movie, new or known, and says whether it may be shown: in force from the next request on.

    A new one is placed by its title, genres and year, and can be searched, rated and recommended. Of one
    that the bundle was trained with, title, genres and year change how it is shown, searched and filtered.
    What was rated of a movie is kept, whether it is shown or not.
    """
    put = body.to_put(movie_id)
    if error := _refusal(put, recommender):
        raise error
    return await _put(put, recommender, services)


@router.delete(f"/movies/{{movie_id:{ID}}}", responses=document_problems(403, 503, 504))
async def withdraw_movie(
    movie_id: Annotated[UrlMovieId, Path()], recommender: LiveRecommender, services: FromServices
) -> PutMovieAnswer:
    """Withholds a movie from all users, as PUT with `available` false does."""
    return await _put(MoviePut(movie_id, available=False), recommender, services)


@router.post("/movies", response_model=PutMoviesAnswer, responses=document_problems(403, 413, 503, 504))
async def put_movies(body: MoviesBody, recommender: LiveRecommender, services: FromServices) -> JSONResponse:
    """Many movies at once, each as `PUT /movies/{movie_id}` takes it."""
    feedback = required_feedback(services)
    puts: list[MoviePut] = []
    rejected: list[dict[str, Any]] = []
    titled: set[str] = set()
    for index, each in enumerate(body.movies):
        if isinstance(each, Refused):
            problem = problem_of_fields(each.errors, ("body", "movies", index))
            rejected.append({"index": index, "error": problem})
            continue
        put = each.to_put(each.movie_id)
        if put.movie_id not in titled and (error := _refusal(put, recommender)):
            rejected.append({"index": index, "error": problem_of(error, f"body.movies.{index}")})
            continue
        puts.append(put)
        if put.title is not None:
            titled.add(put.movie_id)
    if puts:
        outcome = await in_time(services, lambda: feedback.put_movies(puts))
    else:
        outcome = PutOutcome(0, 0, await services.catalogue_threads.run(feedback.position))
    return JSONResponse(outcome._asdict() | {"rejected": rejected})


async def _put(put: MoviePut, recommender: Recommender, services: Services) -> PutMovieAnswer:
    feedback = required_feedback(services)
    outcome = await in_time(services, lambda: feedback.put_movies([put]))
    view = live_view(services)
    live = recommender.with_movies(view.posted)
    movie_id, movies = put.movie_id, live.catalogue
    available = movie_id not in view.withheld.movie_ids
    row = movies.find(movie_id)
    return PutMovieAnswer(
        movie_id=movie_id,
        title=None if row is None else movies.titles[row],
        display_title=None if row is None else movies.display_title(row),
        genres=[] if row is None else movies.genres[row],
        year=None if row is None else movies.years[row],
        available=available,
        known=row is not None and row < live.num_trained,
        recommendable=available and row is not None,
        position=outcome.position,
    )


def _refusal(put: MoviePut, recommender: Recommender) -> RequestError | None:
    """Why the live bundle lets a movie not be stored; None where it does."""
    if recommender.catalogue.find(put.movie_id) is not None:
        return None
    if put.title is None:
        if put.genres is None and put.year in {None, NO_YEAR}:
            return None
        return InvalidField(
            f"no movie has the id {put.movie_id!r}; expected a title, with which it is a new one",
            field="title",
        )
    if recommender.tower.embed_candidate is None:
        return CannotPlace(
            f"no movie has the id {put.movie_id!r}, and the live bundle can add none: it was trained by an "
            "older version; train again, or send only available",
            field="movie_id",
        )
    return None
