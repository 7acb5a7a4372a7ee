"""The endpoints, one module for each group: a schema in, one call of the recommender, a schema out."""

from __future__ import annotations

from fastapi import APIRouter

from service.routes import admin, docs, health, metrics, movies, ratings, recommend, users, web

router = APIRouter(redirect_slashes=False)
for group in (recommend, ratings, movies, users, health, metrics, web, docs, admin):
    router.include_router(group.router)
