"""Times as clients send them: Unix seconds, never milliseconds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from service.schemas.fields import WRITTEN_WITH_A_POINT

LATEST_SECONDS = 99_999_999_999
"""In the year 5138; whatever is larger counts in smaller units."""


def refuse_milliseconds(timestamp: int) -> int:
    """Check that a time is in seconds.

    Raises:
        ValueError: It is not.
    """
    if abs(timestamp) <= LATEST_SECONDS:
        return timestamp
    for power, unit in enumerate(("milliseconds", "microseconds", "nanoseconds"), 1):
        if abs(timestamp) <= LATEST_SECONDS * 1000**power:
            seconds = timestamp // 1000**power
            raise ValueError(f"expected Unix seconds, got {timestamp}, which is {unit}; send {seconds}")
    raise ValueError(f"expected Unix seconds, at most {LATEST_SECONDS}, got {str(timestamp)[:30]}")


Seconds = Annotated[
    int,
    Field(json_schema_extra={"minimum": -LATEST_SECONDS, "maximum": LATEST_SECONDS}),
    AfterValidator(refuse_milliseconds),
    WRITTEN_WITH_A_POINT,
]
Timestamp = Annotated[
    Seconds | None,
    Field(
        description="Unix seconds, clipped to the time range of the training data. Without it the query is "
        "time-agnostic. Milliseconds are refused.",
        examples=[893286638],
    ),
]
