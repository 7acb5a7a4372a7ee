"""The endpoints, one module for each group: a schema in, one call of the recommender, a schema out."""

from __future__ import annotations

from starlette.routing import BaseRoute

from service.routes import admin, docs, health, metrics, movies, ratings, recommend, users, web

_GROUPS = (recommend, ratings, movies, users, health, metrics, web, docs, admin)

# Not by `include_router`: FastAPI looks for the route of a request twice in each router that is in another.
routes: list[BaseRoute] = [route for group in _GROUPS for route in group.router.routes]
"""Of the application, the busiest first."""
