"""`/healthz`, `/readyz`, `/model`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


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
