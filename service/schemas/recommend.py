"""Request schemas of `/recommend`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo

from service.recommending.queries import COLD_RATINGS, DEEPEST, MovieFilter, RankBy, RecommendQuery
from service.schemas.fields import (
    MOST_ENTRIES,
    NO_ITEMS,
    WRITTEN_WITH_A_POINT,
    Body,
    Parameters,
    Text,
)
from service.schemas.ids import MovieId, OptionalUrlUserId, UrlMovieId
from service.schemas.query_user import STRICT, QueryUserBody
from service.schemas.timestamps import Timestamp

LARGEST_K = 500
MOST_GENRES = 100


def _within_depth(k: int, info: ValidationInfo) -> int:
    offset = info.data.get("offset", 0)
    if offset + k > DEEPEST:
        raise ValueError(f"expected offset + k of at most {DEEPEST}, got {offset} + {k}; filter instead")
    return k


def _not_before_year_min(year_max: int | None, info: ValidationInfo) -> int | None:
    year_min = info.data.get("year_min")
    if year_min is not None and year_max is not None and year_min > year_max:
        raise ValueError(f"expected year_max of at least year_min, got {year_min} to {year_max}; swap them")
    return year_max


Offset = Annotated[
    int,
    Field(
        ge=0,
        le=DEEPEST - 1,
        description=f"Items to skip, for the next page; offset + k is at most {DEEPEST}.",
        examples=[10],
    ),
    WRITTEN_WITH_A_POINT,
]
Count = Annotated[
    int,
    Field(ge=1, le=LARGEST_K, validate_default=True, description="Most items to return.", examples=[10]),
    AfterValidator(_within_depth),
    WRITTEN_WITH_A_POINT,
]
ExcludeSeen = Annotated[
    bool,
    Field(description="Exclude the movies of the stored and the sent history.", examples=[True]),
]
_FEW = Field(fail_fast=True, max_length=MOST_ENTRIES)
MovieIds = Annotated[list[MovieId], _FEW]
UrlMovieIds = Annotated[list[UrlMovieId], _FEW]
_EXCLUDE = Field(
    description="Movies to exclude; unknown ids are ignored, and the answer lists them.",
    examples=[["50", "181"]],
)
_RANK_ONLY = Field(
    description="Rank only these; unknown ids are ignored, and the answer lists them.",
    examples=[["50", "181"]],
)
RankByField = Annotated[
    RankBy | None,
    Field(
        description="Sort key of the list: `retrieval` the score, `rating` the predicted rating, `blend` the "
        f"sum of both, standardized; the last two re-rank the {DEEPEST} best by score, and need a bundle "
        "with ratings (else 409). Null: the score, which for a cold-start user with low ratings in the "
        "history is lowered by these and by few predicted stars.",
        examples=["retrieval"],
    ),
]
Diversity = Annotated[
    float,
    Field(
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0 to 1: weight of dissimilarity to the items above (maximal marginal relevance over the "
        f"{DEEPEST} best by score).",
        examples=[0.3],
    ),
]
Explain = Annotated[
    bool,
    Field(
        description="Return for each item the movies of the history that contribute most to its score. Costs "
        "as much as several requests.",
        examples=[True],
    ),
]
Explore = Annotated[
    float | None,
    Field(
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="0 to 1: share of the list's places, spread evenly, for movies that fewer than "
        f"{COLD_RATINGS} users rated; null for the service's setting, 0 by default.",
        examples=[0.1],
    ),
]
Genres = Annotated[list[Text], Field(fail_fast=True, max_length=MOST_GENRES)]
GenresAny = Annotated[Genres, Field(description="At least one of these genres.", examples=[["Comedy"]])]
GenresAll = Annotated[Genres, Field(description="All of these genres.", examples=[["Comedy", "Romance"]])]
GenresNone = Annotated[Genres, Field(description="None of these genres.", examples=[["Horror"]])]
Year = Annotated[int, Field(ge=0, le=9_999), WRITTEN_WITH_A_POINT]
YearMin = Annotated[
    Year | None, Field(description="Released in this year or later, and the year is known.", examples=[1980])
]
YearMax = Annotated[
    Year | None,
    Field(description="Released in this year or earlier, and the year is known.", examples=[1989]),
    AfterValidator(_not_before_year_min),
]


class FilterBody(Body):
    """Conditions on movies; one is returned only if it meets all of them.

    Genres are compared case-insensitively; an unknown genre is not an error.
    """

    genres_any: GenresAny = Field(default=[])
    genres_all: GenresAll = Field(default=[])
    genres_none: GenresNone = Field(default=[])
    year_min: YearMin = None
    year_max: YearMax = None
    movie_ids: Annotated[MovieIds | None, _RANK_ONLY] = None


class RecommendBody(QueryUserBody):
    """Body of `POST /recommend`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"history": [{"movie_id": "50", "rating": 5}, {"movie_id": "181"}], "k": 5, "explain": True}
            ]
        }
    )

    offset: Offset = 0
    k: Count = 10
    exclude_seen: ExcludeSeen = True
    exclude: Annotated[MovieIds, _EXCLUDE] = Field(default_factory=list, json_schema_extra=NO_ITEMS)
    filter: FilterBody | None = Field(
        default=None,
        description="Which movies may be returned; null for all.",
        examples=[{"genres_any": ["Comedy"]}],
    )
    rank_by: RankByField = None
    diversity: Diversity = 0.0
    explain: Explain = False
    explore: Explore = None

    def to_query(self) -> RecommendQuery:
        """Convert to a query of `service.recommending`, whose defaults are those of this body."""
        # Few fields are sent of many: of a batch each costs as much as a number of its answer.
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        if self.history:
            sent["history"] = self.history_entries()
        if self.filter is not None:
            sent["filter"] = MovieFilter(**dict(self.filter))
        return RecommendQuery(**sent)


class RecommendParameters(Parameters):
    """Query parameters of `GET /recommend`; a list is a repeated parameter."""

    user_id: OptionalUrlUserId = None
    offset: Offset = 0
    k: Count = 10
    timestamp: Timestamp = None
    exclude_seen: ExcludeSeen = True
    exclude: Annotated[UrlMovieIds, _EXCLUDE] = Field(default=[])
    genres_any: GenresAny = Field(default=[])
    genres_all: GenresAll = Field(default=[])
    genres_none: GenresNone = Field(default=[])
    year_min: YearMin = None
    year_max: YearMax = None
    movie_ids: Annotated[UrlMovieIds, _RANK_ONLY] = Field(default=[])
    rank_by: RankByField = None
    diversity: Diversity = 0.0
    explain: Explain = False
    explore: Explore = None
    strict: Annotated[bool, Field(description=STRICT, examples=[False])] = False

    def to_query(self) -> RecommendQuery:
        """Convert to a query of `service.recommending`."""
        conditions = {
            name: getattr(self, name) for name in FilterBody.model_fields.keys() & self.model_fields_set
        }
        return RecommendQuery(
            user_id=self.user_id,
            timestamp=self.timestamp,
            k=self.k,
            offset=self.offset,
            exclude_seen=self.exclude_seen,
            exclude=self.exclude,
            filter=MovieFilter(**conditions) if conditions else None,
            rank_by=self.rank_by,
            diversity=self.diversity,
            explain=self.explain,
            explore=self.explore,
            strict=self.strict,
        )
