"""`/healthz`, `/readyz`, `/model`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field


class Alive(BaseModel):
    """The answer of `/healthz`."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """The answer of `/readyz`."""

    status: Literal["ready"] = "ready"
    bundle_id: str


class RefusedBundle(BaseModel):
    """What CURRENT names and cannot be served."""

    bundle_id: str | None = Field(description="Null where CURRENT itself is wrong.")
    error: str = Field(description="The error's name, as in `matinee_bundle_refusals_total`.")
    detail: str = Field(description="Which file, what was expected, what was found.")
    since: datetime = Field(description="When it was first refused for that.")


class ModelAnswer(BaseModel):
    """The answer of `/model`."""

    bundle_id: str
    metrics: dict[str, Any] | Literal["not measured"] = Field(
        description="What training measured on held-out ratings."
    )
    refused: RefusedBundle | None = Field(
        description="Why the bundle served is not the one that CURRENT names; null while it is."
    )
    manifest: dict[str, Any] = Field(description="The bundle's manifest as it was written.")
