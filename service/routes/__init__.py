"""The endpoints, one module for each group: a schema in, one call of the recommender, a schema out."""

from __future__ import annotations

from fastapi import APIRouter

from service.routes import admin, docs, health, metrics, movies, ratings, recommend, users, web

router = APIRouter(redirect_slashes=False)
for tag, groups in {
    "recommendations": (recommend, ratings),
    "movies and users": (movies, users),
    "operation": (health, metrics, admin),
    "pages": (web, docs),
}.items():
    for group in groups:
        router.include_router(group.router, tags=[tag])
