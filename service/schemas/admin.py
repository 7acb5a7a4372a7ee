"""`/admin/*`."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.schemas.health import RefusedBundle


class BundleNow(BaseModel):
    """What the worker that answers serves from now on."""

    bundle_id: str | None = Field(
        description="Null while no bundle can be served.", examples=["20261121T062118Z-df4c644d"]
    )
    refused: RefusedBundle | None = Field(
        description="Why the bundle served is not the one that CURRENT names; null while it is."
    )
