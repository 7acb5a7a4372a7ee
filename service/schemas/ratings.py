"""Schemas of `/predict_rating`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from service.recommending.queries import RatingQuery
from service.schemas.fields import (
    BundleId,
    DisplayTitle,
    Ignored,
    Live,
    Parameters,
    Text,
)
from service.schemas.ids import MovieId, OptionalUrlUserId, UrlMovieId
from service.schemas.query_user import STRICT, QueryUserBody
from service.schemas.timestamps import Timestamp


def _exactly_one_movie(title: str | None, info: ValidationInfo) -> str | None:
    if "movie_id" in info.data and (info.data["movie_id"] is None) == (title is None):
        raise ValueError(
            f"expected exactly one of movie_id and movie_title, got {'neither' if title is None else 'both'}"
        )
    return title


MovieTitle = Annotated[
    Text | None,
    AfterValidator(_exactly_one_movie),
    Field(
        validate_default=True,
        description="The title, its case aside, instead of `movie_id`. If several movies share it, the most "
        "rated.",
        examples=["Dances with Wolves (1990)"],
    ),
]


_RATED = Field(description="A movie's id, instead of `movie_title`.", examples=["97"])


class RatingBody(QueryUserBody):
    """Body of `POST /predict_rating`: exactly one of `movie_id` and `movie_title`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_id": "42", "movie_id": "97"}]})

    movie_id: Annotated[MovieId | None, _RATED] = None
    movie_title: MovieTitle = None

    def to_query(self) -> RatingQuery:
        """Convert to a query of `service.recommending`."""
        return RatingQuery(
            user_id=self.user_id,
            history=self.history_entries(),
            timestamp=self.timestamp,
            movie_id=self.movie_id,
            movie_title=self.movie_title,
            strict=self.strict,
        )


class RatingParameters(Parameters):
    """Query parameters of `GET /predict_rating`: exactly one of `movie_id` and `movie_title`."""

    user_id: OptionalUrlUserId = None
    movie_id: Annotated[UrlMovieId | None, _RATED] = None
    movie_title: MovieTitle = None
    timestamp: Timestamp = None
    strict: Annotated[bool, Field(description=STRICT, examples=[False])] = False

    def to_query(self) -> RatingQuery:
        """Convert to a query of `service.recommending`."""
        return RatingQuery(**dict(self))


class RatingAnswer(BaseModel):
    """Response of `/predict_rating`."""

    user_id: str | None = Field(description="The request's `user_id`.", examples=["42"])
    movie_id: str = Field(description="The movie's id.", examples=["97"])
    title: str = Field(description="The movie's title.", examples=["Dances with Wolves (1990)"])
    display_title: DisplayTitle
    predicted_rating: float = Field(description="Stars within the bundle's rating scale.", examples=[4.57])
    known_user: bool = Field(description="Whether the user was in the training data.", examples=[True])
    bundle_id: BundleId
    ignored: Ignored = []
    live: Live = True
