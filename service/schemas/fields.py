"""Field types and base models that several schemas share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, model_validator
from pydantic.config import JsonDict

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


def whole_number(value: object) -> object:
    """A float without decimals as an integer, anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WRITTEN_WITH_A_POINT = BeforeValidator(whole_number)
"""Last in `Annotated[int, ...]`: accepts `10.0` as an integer in a strict body, as JSON Schema does."""
Ignored = Annotated[
    list[str],
    Field(
        description="Movies of `history`, `exclude` and `movie_ids` that the bundle does not know; left out "
        "if there are none.",
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
K = Annotated[int, Field(ge=1, le=500, description="Most items to return.", examples=[10])]
NO_ITEMS: JsonDict = {"default": []}
"""Extra of the schema of a list whose default is made by `default_factory`: pydantic copies any other default
by `deepcopy`, for each request, which takes longer than the rest of its validation."""
DEPRECATED: JsonDict = {"deprecated": True}
"""Extra of a field's schema; pydantic's own would warn on each reading of the field."""
FormerLimit = Annotated[
    Annotated[int, Field(ge=1, le=500)] | None,
    Field(description="Former name of `k`.", examples=[10], json_schema_extra=DEPRECATED),
]
GenresAny = Annotated[
    list[Annotated[Text, Field(max_length=200)]],
    Field(
        fail_fast=True,
        max_length=100,
        description="At least one of these genres, case-insensitive; an unknown one matches no movie.",
        examples=[["Comedy"]],
    ),
]
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
    """Base of query parameters, which arrive as text.

    Attributes:
        FORMER_NAMES: The present names of parameters that had others.
    """

    model_config = ConfigDict(extra="forbid")
    FORMER_NAMES: ClassVar[Mapping[str, str]] = MappingProxyType({})

    _few_fields = model_validator(mode="before")(refuse_many_fields)

    @model_validator(mode="before")
    @classmethod
    def _take_former_names(cls, sent: object) -> object:
        if not isinstance(sent, dict):
            return sent
        former_names = cls.FORMER_NAMES.keys() & sent.keys()
        sent = {**sent} if former_names else sent
        for former in former_names:
            name = cls.FORMER_NAMES[former]
            if name in sent:
                raise ValueError(f"expected {name}, got {former} beside it, its former name; leave that out")
            is_list = isinstance(cls.model_fields[name].default, list)
            value = sent.pop(former)
            sent[name] = [value] if is_list else value
        return sent
