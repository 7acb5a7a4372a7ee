"""The endpoints, one module for each group: a schema in, one call of the recommender, a schema out."""

from __future__ import annotations

from starlette.routing import BaseRoute

from service.routes import (
    admin_routes,
    docs_routes,
    feedback_files,
    feedback_routes,
    health_routes,
    metrics_routes,
    movie_routes,
    posted_movie_routes,
    rating_routes,
    recommend_routes,
    user_routes,
    web_routes,
)

_GROUPS = (
    recommend_routes,
    rating_routes,
    feedback_routes,
    feedback_files,
    movie_routes,
    posted_movie_routes,
    user_routes,
    health_routes,
    metrics_routes,
    web_routes,
    docs_routes,
    admin_routes,
)

# Not by `include_router`: FastAPI looks for the route of a request twice in each router that is in another.
routes: list[BaseRoute] = [route for group in _GROUPS for route in group.router.routes]
"""Of the application, the busiest first."""
