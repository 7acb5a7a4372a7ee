"""What the fields of several groups share: texts, ids, times, and how strict a body is."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, model_validator

LARGEST_INTEGER = 2**53 - 1
"""Beyond it JSON does not keep integers exact: many readers, OpenAPI's too, hold numbers as doubles."""
LONGEST_TEXT = 1_000
"""Characters of an id, a title or a genre."""
MOST_ENTRIES = 5_000
"""Movies of a history, of what is excluded, and of what alone is ranked."""
MOST_FIELDS = 50
"""Of one object: each that is unknown is an error of its own, and 100,000 errors take seconds to tell."""

# To count its characters pydantic reads it as Unicode, and so refuses what JSON can spell and no answer could
# repeat: half of a surrogate pair.
Text = Annotated[StrictStr, Field(max_length=LONGEST_TEXT)]


def _integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WRITTEN_WITH_A_POINT = BeforeValidator(_integer)
"""Comes last in `Annotated[int, ...]`: in a strict body too `10.0` is an integer, as JSON Schema has it."""
UserId = Annotated[Text, Field(description="A user's id, known to the bundle or not.", examples=["42"])]
MovieId = Annotated[Text, Field(description="A movie's id.", examples=["50"])]
Timestamp = Annotated[
    Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER), WRITTEN_WITH_A_POINT] | None,
    Field(
        description="Unix seconds, clipped to the times trained on. Without it the query is time-agnostic.",
        examples=[893286638],
    ),
]
BundleId = Annotated[
    str, Field(description="The bundle that answered.", examples=["20261121T062118Z-df4c644d"])
]
Limit = Annotated[int, Field(ge=1, le=500, description="Most items on one page.")]
Offset = Annotated[
    int, Field(ge=0, le=LARGEST_INTEGER, description="Items to leave out before the first, for a next page.")
]


def refuse_many_fields(sent: object) -> object:
    """Passes on what has a sane number of fields, before each of them is looked at.

    Raises:
        ValueError: It has not.
    """
    if isinstance(sent, dict) and len(sent) > MOST_FIELDS:
        raise ValueError(f"expected at most {MOST_FIELDS} fields, got {len(sent)}")
    return sent


class Element(BaseModel):
    """What a body may have many of: types as JSON has them, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Body(Element):
    """A request body."""

    _few_fields = model_validator(mode="before")(refuse_many_fields)


class Parameters(BaseModel):
    """A request's query parameters, which arrive as text."""

    model_config = ConfigDict(extra="forbid")

    _few_fields = model_validator(mode="before")(refuse_many_fields)
