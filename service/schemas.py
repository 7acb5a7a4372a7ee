"""Request and response bodies. Ids are strings: the number 42 is refused, the string "42" is an id."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr, ValidationInfo, field_validator

from service.queries import Source

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def _encodable(text: str) -> str:
    """JSON can spell half of a surrogate pair, which is no character and which no answer could repeat."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("expected Unicode text, got half of a surrogate pair") from error
    return text


Text = Annotated[StrictStr, AfterValidator(_encodable)]
UserId = Annotated[Text, Field(description="A user's id, known to the bundle or not.", examples=["42"])]
MovieId = Annotated[Text, Field(description="A movie's id.", examples=["50"])]
Count = Annotated[int, Field(ge=1, le=500, description="Most items wanted.")]
Timestamp = Annotated[
    int,
    Field(
        ge=INT64_MIN,
        le=INT64_MAX,
        description="Unix seconds, clipped to the times trained on. Without it the query is time-agnostic.",
        examples=[893286638],
    ),
]
ExcludeSeen = Annotated[bool, Field(description="Leave out every movie of the stored and the sent history.")]


class Body(BaseModel):
    """A request body: types as JSON has them, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Parameters(BaseModel):
    """A request's query parameters, which arrive as text."""

    model_config = ConfigDict(extra="forbid")


class HistoryEntryBody(Body):
    """A movie that the person saw."""

    movie_id: MovieId
    rating: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="Stars on the bundle's scale; null where not rated.",
        examples=[5],
    )


class PersonBody(Body):
    """Who asks: a user id, a history, or both."""

    user_id: UserId | None = None
    history: list[HistoryEntryBody] = Field(
        default=[],
        validate_default=True,
        description="Movies seen, oldest first, added to what the bundle knows of the user. A movie that is "
        "named twice, or known already, takes the last rating and place given here.",
    )
    timestamp: Timestamp | None = None

    @field_validator("history")
    @classmethod
    def _says_who_asks(cls, history: list[HistoryEntryBody], info: ValidationInfo) -> list[HistoryEntryBody]:
        if not history and "user_id" in info.data and info.data["user_id"] is None:
            raise ValueError("expected user_id or a non-empty history, got neither")
        return history


class RecommendBody(PersonBody):
    """`POST /recommend`."""

    k: Count = 10
    exclude_seen: ExcludeSeen = True


class RecommendParameters(Parameters):
    """`GET /recommend`."""

    user_id: UserId
    k: Count = 10
    timestamp: Timestamp | None = None
    exclude_seen: ExcludeSeen = True


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
        description="The exact title, instead of `movie_id`. Of movies that share it, the most-rated.",
        examples=["Dances with Wolves (1990)"],
    ),
]


class RatingBody(PersonBody):
    """`POST /predict_rating`: exactly one of `movie_id` and `movie_title`."""

    movie_id: MovieId | None = None
    movie_title: MovieTitle = None


class RatingParameters(Parameters):
    """`GET /predict_rating`: exactly one of `movie_id` and `movie_title`."""

    user_id: UserId
    movie_id: MovieId | None = None
    movie_title: MovieTitle = None
    timestamp: Timestamp | None = None


class Item(BaseModel):
    """A recommended movie."""

    movie_id: str
    title: str
    genres: list[str]
    year: int | None
    score: float = Field(
        description="Similarity, never rising down the list; where popular, the share of users who rated it."
    )
    predicted_rating: float = Field(description="Stars that this person would give, within the scale.")


class RecommendAnswer(BaseModel):
    """The answer of `/recommend`."""

    user_id: str | None
    bundle_id: str
    source: Source = Field(
        description="`personalized` for a known user, `history` for a stranger who sent one, else `popular`."
    )
    items: list[Item] = Field(description="Best first; fewer than k only where no candidates are left.")


class RatingAnswer(BaseModel):
    """The answer of `/predict_rating`."""

    user_id: str | None
    movie_id: str
    title: str
    predicted_rating: float = Field(description="Stars, within the bundle's scale.")
    known_user: bool
    bundle_id: str


class Alive(BaseModel):
    """The answer of `/healthz`."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The answer of `/readyz`."""

    status: Literal["ready"] = "ready"
    bundle_id: str


class ModelAnswer(BaseModel):
    """The answer of `/model`."""

    bundle_id: str
    metrics: dict[str, Any] | Literal["not measured"] = Field(
        description="What training measured on held-out ratings."
    )
    manifest: dict[str, Any] = Field(description="The bundle's manifest as it was written.")
