"""Schemas of `POST /feedback/import` and `GET /feedback`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from service.http.field_names import name_fields
from service.http.problem_details import Problem
from service.schemas.batches import Refused, alone
from service.schemas.feedback_event import FeedbackEvent
from service.schemas.fields import DEPRECATED, LARGEST_INTEGER, Parameters, Text

MOST_REJECTED = 20
"""Records of an import whose errors are shown."""


class ImportedEvent(FeedbackEvent):
    """An event of an import: as posted, or as exported."""

    position: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_INTEGER,
        description="Of the store it comes from; ignored.",
        examples=[8841],
    )


IMPORTED_NAMES = tuple(ImportedEvent.model_fields)
IMPORTED_REQUIRED = ("user_id", "movie_id", "type")
# What `alone` gives in the place of a wrong one, types do not say.
_LINES: TypeAdapter[list[Any]] = TypeAdapter(list[Annotated[ImportedEvent, alone(ImportedEvent)]])
_NO_LINE = {"type": "value_error", "loc": (), "msg": "expected one JSON object a line, got something else"}


def parse_records(
    records: Sequence[bytes] | Sequence[dict[str, str]],
) -> list[ImportedEvent | Refused]:
    """The events of an import's records, a wrong one alone refused.

    Args:
        records: Lines of NDJSON, or rows of CSV, whose values are text.
    """
    lines = [record for record in records if isinstance(record, bytes)]
    if len(lines) < len(records):
        return [_parse_row(record) for record in records if not isinstance(record, bytes)]
    with suppress(ValidationError):
        parsed = _LINES.validate_json(b"[" + b",".join(lines) + b"]")
        if len(parsed) == len(lines):
            return parsed
    if len(lines) == 1:
        return [Refused([_NO_LINE])]
    # A line that is no JSON spoils all of them: halve until it is alone.
    half = len(lines) // 2
    return [*parse_records(lines[:half]), *parse_records(lines[half:])]


def _parse_row(row: dict[str, str]) -> ImportedEvent | Refused:
    try:
        return ImportedEvent.model_validate(row, strict=False)
    except ValidationError as error:
        return Refused(name_fields(error.errors(), ImportedEvent))


class ImportParameters(Parameters):
    """Query parameters of `POST /feedback/import`."""

    import_id: Text | None = Field(
        default=None,
        min_length=1,
        description="A name of your own for the import: sent again under it, the same stream goes on after "
        "the records that are stored.",
        examples=["ratings-2026-11"],
    )


class RejectedRecord(BaseModel):
    """A record that was not stored."""

    record: int = Field(ge=0, description="Its place in the stream, from 0.", examples=[2])
    error: Problem


class ImportAnswer(BaseModel):
    """Response of `POST /feedback/import`: everything in it is on the disk."""

    records: int = Field(ge=0, description="Records in the stream.", examples=[100_000])
    skipped: int = Field(
        ge=0, description="Records that were stored before under the same `import_id`.", examples=[0]
    )
    stored: int = Field(ge=0, description="Events that changed something.", examples=[99_998])
    unchanged: int = Field(ge=0, description="Events that were stored before.", examples=[0])
    superseded: int = Field(
        ge=0, description="Events older than what is stored of their user, movie and type.", examples=[1]
    )
    num_rejected: int = Field(ge=0, description="Records that were refused.", examples=[1])
    rejected: list[RejectedRecord] = Field(
        max_length=MOST_REJECTED, description=f"The first {MOST_REJECTED} of them."
    )
    position: int = Field(ge=0, description="Of the store afterwards.", examples=[108_839])


class ExportParameters(Parameters):
    """Query parameters of `GET /feedback`."""

    cursor: int = Field(
        default=0,
        ge=0,
        le=LARGEST_INTEGER,
        description="Position after which to begin: the last one that came before; 0 for all.",
        examples=[8841],
    )
    k: int = Field(
        default=100_000, ge=1, le=1_000_000, description="Most events; where so many come, there may be more."
    )
    limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Former name of `k`.", examples=[1000], json_schema_extra=DEPRECATED
    )
    FORMER_NAMES = MappingProxyType({"limit": "k"})
