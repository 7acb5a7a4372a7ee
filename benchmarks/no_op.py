"""Baseline server of `benchmarks.overhead`: validates the same bodies and returns constant answers.

Routes are FastAPI's, bodies and answers the service's own pydantic models; nothing is computed, logged or
counted. It runs on uvicorn with the same event loop and parser as the service.
"""

from __future__ import annotations

import argparse

import uvicorn
from fastapi import FastAPI

from service.schemas.ratings import RatingAnswer, RatingBody
from service.schemas.recommend import RecommendBody
from service.schemas.recommendations import Item, RecommendAnswer

app = FastAPI()

_BUNDLE_ID = "20261121T062118Z-df4c644d"
_RECOMMENDED = RecommendAnswer(
    user_id="42",
    bundle_id=_BUNDLE_ID,
    source="personalized",
    items=[
        Item(
            rank=rank,
            movie_id=str(rank),
            title="Dances with Wolves (1990)",
            display_title="Dances with Wolves",
            genres=["Adventure", "Drama"],
            year=1990,
            score=7.25,
            rank_score=7.25,
            predicted_rating=4.5,
            source="personalized",
        )
        for rank in range(1, 11)
    ],
)
_RATED = RatingAnswer(
    user_id="42",
    movie_id="97",
    title="Dances with Wolves (1990)",
    display_title="Dances with Wolves",
    predicted_rating=4.5,
    known_user=True,
    bundle_id=_BUNDLE_ID,
)


@app.post("/recommend")
async def recommend(_body: RecommendBody) -> RecommendAnswer:
    """Return ten constant movies."""
    return _RECOMMENDED


@app.post("/predict_rating")
async def predict_rating(_body: RatingBody) -> RatingAnswer:
    """Return a constant rating."""
    return _RATED


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    """Always ready."""
    return {"status": "ready"}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.no_op")
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app,
        port=parser.parse_args().port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
    )
