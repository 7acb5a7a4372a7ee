"""Ids as clients send them: text of any kind, or an integer, which is taken as its decimal text."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, GetPydanticSchema
from pydantic_core import core_schema

from service.schemas.fields import LARGEST_INTEGER, LONGEST_TEXT, Text, whole_number

_EXPECTED = (
    f"expected text of at most {LONGEST_TEXT:,} characters, or an integer of at most 2^53 - 1 (a larger one "
    "as text)"
)


def _text_or_integer(_source: object, _handler: object) -> core_schema.CoreSchema:
    text = core_schema.str_schema(strict=True, max_length=LONGEST_TEXT)
    integer = core_schema.int_schema(strict=True, ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)
    as_text = core_schema.no_info_after_validator_function(str, integer)
    # Text first: only what is none costs a call of Python.
    return core_schema.union_schema(
        [text, core_schema.no_info_before_validator_function(whole_number, as_text)],
        mode="left_to_right",
        custom_error_type="id_type",
        custom_error_message=_EXPECTED,
    )


Id = Annotated[str, GetPydanticSchema(_text_or_integer)]
"""In a body: `"50"` and `50` are the same id."""
UserId = Annotated[Id, Field(description="A user's id, known or not.", examples=["42"])]
MovieId = Annotated[Id, Field(description="A movie's id.", examples=["50"])]

OptionalUrlUserId = Annotated[
    Text | None,
    Field(
        description="A user's id, known or not; left out for a user of whom nothing is known.",
        examples=["42"],
    ),
]
UrlUserId = Annotated[Text, Field(description="A user's id, known or not.", examples=["42"])]
UrlMovieId = Annotated[Text, Field(description="A movie's id.", examples=["50"])]
