"""Field types and base models that several schemas share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, model_validator

LARGEST_INTEGER = 2**53 - 1
"""Larger integers are not exact in JSON readers that hold numbers as doubles, OpenAPI tools among them."""
LONGEST_TEXT = 1_000
"""Most characters of an id, a title or a genre."""
MOST_ENTRIES = 5_000
"""Most movies of `history`, `exclude` and `movie_ids`."""
MOST_FIELDS = 50
"""Most fields of one object: each unknown one is an error, and listing 100,000 errors takes seconds."""

# To check max_length pydantic decodes it, and so refuses unpaired surrogates, which JSON can contain but no
# response could repeat.
Text = Annotated[StrictStr, Field(max_length=LONGEST_TEXT)]


def _integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WRITTEN_WITH_A_POINT = BeforeValidator(_integer)
"""Last in `Annotated[int, ...]`: accepts `10.0` as an integer in a strict body, as JSON Schema does."""
UserId = Annotated[Text, Field(description="A user's id, known or not.", examples=["42"])]
MovieId = Annotated[Text, Field(description="A movie's id.", examples=["50"])]
Timestamp = Annotated[
    Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER), WRITTEN_WITH_A_POINT] | None,
    Field(
        description="Unix seconds, clipped to the time range of the training data. Without it the query is "
        "time-agnostic.",
        examples=[893286638],
    ),
]
Ignored = Annotated[
    list[str],
    Field(
        description="Movies of the sent history that the bundle does not know; left out if there are none.",
        examples=[["added-since-training"]],
    ),
]
Live = Annotated[
    bool,
    Field(
        description="False where the store of feedback could not be read: the answer is the bundle's alone; "
        "else left out."
    ),
]
BundleId = Annotated[
    str, Field(description="Id of the bundle that answered.", examples=["20261121T062118Z-df4c644d"])
]
DisplayTitle = Annotated[
    str,
    Field(
        description="The title as people say it: articles in front, and without the year that `year` has.",
        examples=["The Empire Strikes Back"],
    ),
]
Limit = Annotated[int, Field(ge=1, le=500, description="Most items on one page.")]
Offset = Annotated[
    int, Field(ge=0, le=LARGEST_INTEGER, description="Items to skip before the first, for the next page.")
]


def refuse_many_fields(sent: object) -> object:
    """Check the number of fields of an object before each of them is validated.

    Raises:
        ValueError: There are more than `MOST_FIELDS`.
    """
    if isinstance(sent, dict) and len(sent) > MOST_FIELDS:
        raise ValueError(f"expected at most {MOST_FIELDS} fields, got {len(sent)}")
    return sent


class Element(BaseModel):
    """Base of objects inside a body: strict JSON types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Body(Element):
    """Base of request bodies."""

    _few_fields = model_validator(mode="before")(refuse_many_fields)


class Parameters(BaseModel):
    """Base of query parameters, which arrive as text."""

    model_config = ConfigDict(extra="forbid")

    _few_fields = model_validator(mode="before")(refuse_many_fields)
