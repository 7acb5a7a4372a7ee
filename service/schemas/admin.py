"""Schemas of `/admin/*`."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.schemas.health import RefusedBundle


class BundleNow(BaseModel):
    """The bundle that the answering worker serves after a reload or rollback."""

    bundle_id: str | None = Field(
        description="Null while no bundle can be served.", examples=["20261121T062118Z-df4c644d"]
    )
    refused: RefusedBundle | None = Field(
        description="Why the bundle that CURRENT names was refused; null if it is the one being served."
    )
