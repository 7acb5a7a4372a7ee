"""`/movies`, `/popular`, `/genres`: search, single movies, similar ones, and the genres."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from service.http.api_route import ApiRoute
from service.http.conditional import NOT_MODIFIED, caching, etag_of, is_kept, not_modified
from service.http.problems import document_problems
from service.recommending.recommender import Recommender
from service.routes.dependencies import FromLiveMovies, FromServices, LiveMovies
from service.routes.path_ids import ID
from service.schemas.ids import UrlMovieId
from service.schemas.movies import (
    GenresAnswer,
    MovieAnswer,
    MovieParameters,
    MoviesAnswer,
    PopularAnswer,
    PopularParameters,
    SimilarAnswer,
    SimilarParameters,
)

router = APIRouter(route_class=ApiRoute, tags=["movies and users"])


@router.get("/movies", response_model=MoviesAnswer, responses=document_problems(503, 504) | NOT_MODIFIED)
async def search_movies(
    parameters: Annotated[MovieParameters, Query()],
    movies: FromLiveMovies,
    services: FromServices,
    request: Request,
) -> Response:
    """Movies whose titles match what a user types, best match first."""
    if is_kept(request, etag := _etag(movies)):
        return not_modified(etag)
    recommender, withheld = movies
    rows = await services.catalogue_threads.run(
        lambda: recommender.movie_search.search(parameters.query, parameters.genres_any),
        stage="title_search",
    )
    rows = recommender.withheld_movies.without(rows, withheld)
    page = rows[parameters.offset : parameters.offset + parameters.k]
    return JSONResponse(
        {
            "bundle_id": recommender.bundle_id,
            "total": len(rows),
            "items": [_movie(recommender, row) for row in page.tolist()],
        },
        headers=caching(etag),
    )


@router.get("/popular", response_model=PopularAnswer, responses=document_problems(503, 504) | NOT_MODIFIED)
async def list_popular_movies(
    parameters: Annotated[PopularParameters, Query()],
    movies: FromLiveMovies,
    services: FromServices,
    request: Request,
) -> Response:
    """The movies that most users rated."""
    if is_kept(request, etag := _etag(movies)):
        return not_modified(etag)
    recommender, withheld = movies
    rows = await services.catalogue_threads.run(
        lambda: recommender.movie_search.search("", parameters.genres_any)
    )
    rows = recommender.withheld_movies.without(rows, withheld)
    page = rows[parameters.offset : parameters.offset + parameters.k].tolist()
    users = len(recommender.histories)
    shares = (recommender.catalogue.num_ratings[row] / users for row in page)
    return JSONResponse(
        {
            "bundle_id": recommender.bundle_id,
            "total": len(rows),
            "items": _scored(recommender, page, shares),
        },
        headers=caching(etag),
    )


@router.get("/genres", response_model=GenresAnswer, responses=document_problems(503) | NOT_MODIFIED)
async def list_genres(movies: FromLiveMovies, request: Request) -> Response:
    """Every genre, and from when the movies are, for a filter to choose from."""
    if is_kept(request, etag := _etag(movies)):
        return not_modified(etag)
    catalogue = movies.recommender.catalogue
    items = [{"genre": genre, "num_movies": count} for genre, count in catalogue.genre_counts.items()]
    years = (
        None
        if catalogue.year_range is None
        else dict(zip(("first", "last"), catalogue.year_range, strict=True))
    )
    document = {"bundle_id": movies.recommender.bundle_id, "years": years, "items": items}
    return JSONResponse(document, headers=caching(etag))


@router.get(
    f"/movies/{{movie_id:{ID}}}",
    response_model=MovieAnswer,
    responses=document_problems(404, 503) | NOT_MODIFIED,
)
async def get_movie(
    movie_id: Annotated[UrlMovieId, Path()], movies: FromLiveMovies, request: Request
) -> Response:
    """One movie."""
    if is_kept(request, etag := _etag(movies)):
        return not_modified(etag)
    recommender, withheld = movies
    row = recommender.catalogue.row_of(movie_id)
    is_available = movie_id not in withheld.movie_ids
    return JSONResponse(
        {"bundle_id": recommender.bundle_id} | _movie(recommender, row) | {"available": is_available},
        headers=caching(etag),
    )


@router.get(
    f"/movies/{{movie_id:{ID}}}/similar",
    response_model=SimilarAnswer,
    responses=document_problems(404, 503, 504) | NOT_MODIFIED,
)
async def list_similar_movies(
    movie_id: Annotated[UrlMovieId, Path()],
    parameters: Annotated[SimilarParameters, Query()],
    movies: FromLiveMovies,
    services: FromServices,
    request: Request,
) -> Response:
    """The movies that the model places nearest to one of them, for every user alike."""
    if is_kept(request, etag := _etag(movies)):
        return not_modified(etag)
    recommender, withheld = movies
    row = recommender.catalogue.row_of(movie_id)
    left_out = recommender.withheld_movies.rows(withheld)
    rows, scores = await services.catalogue_threads.run(
        lambda: recommender.similar_movies.of(row, parameters.k + len(left_out)), stage="similar_movies"
    )
    if len(left_out):
        shown = ~np.isin(rows, left_out)
        rows, scores = rows[shown][: parameters.k], scores[shown][: parameters.k]
    return JSONResponse(
        {
            "bundle_id": recommender.bundle_id,
            "movie_id": movie_id,
            "items": _scored(recommender, rows.tolist(), scores.tolist()),
        },
        headers=caching(etag),
    )


def _etag(movies: LiveMovies) -> str:
    return etag_of(movies.recommender.bundle_id, movies.withheld.version)


def _movie(recommender: Recommender, row: int) -> dict[str, Any]:
    movies = recommender.catalogue
    return {
        "movie_id": movies.movie_ids[row],
        "title": movies.titles[row],
        "display_title": movies.display_title(row),
        "genres": movies.genres[row],
        "year": movies.years[row],
        "num_ratings": movies.num_ratings[row],
        "mean_rating": recommender.mean_rating(row),
    }


def _scored(recommender: Recommender, rows: Iterable[int], scores: Iterable[float]) -> list[dict[str, Any]]:
    return [_movie(recommender, row) | {"score": score} for row, score in zip(rows, scores, strict=True)]
