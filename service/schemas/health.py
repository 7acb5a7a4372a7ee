"""Schemas of `/healthz`, `/readyz` and `/model`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from service.schemas.fields import BundleId


class Alive(BaseModel):
    """Response of `/healthz`."""

    status: Literal["alive"] = Field(default="alive", description="Always `alive`.")


class Ready(BaseModel):
    """Response of `/readyz`."""

    status: Literal["ready"] = Field(default="ready", description="Always `ready` with status 200.")
    bundle_id: BundleId


class RefusedBundle(BaseModel):
    """A bundle that CURRENT names and that cannot be served."""

    bundle_id: str | None = Field(
        description="Null if CURRENT itself is invalid.", examples=["20261121T062118Z-df4c644d"]
    )
    error: str = Field(
        description="The error's name, as in `matinee_bundle_refusals_total`.",
        examples=["ChecksumDiffers"],
    )
    detail: str = Field(
        description="Which file, what was expected, what was found.",
        examples=["artifacts/20261121T062118Z-df4c644d/candidates.ann: expected 123456 bytes, found 123400"],
    )
    since: datetime = Field(
        description="When it was first refused for this reason.", examples=["2026-11-21T06:30:00Z"]
    )


class ModelAnswer(BaseModel):
    """Response of `/model`."""

    bundle_id: BundleId
    metrics: dict[str, Any] | Literal["not measured"] = Field(
        description="Metrics that training measured on held-out ratings.",
        examples=[{"temporal": {"ndcg@10": 0.2528, "rmse": 0.9516}}],
    )
    refused: RefusedBundle | None = Field(
        description="Why the bundle that CURRENT names was refused; null if it is the one being served."
    )
    feedback: Literal["off", "on", "write-key"] = Field(
        default="off",
        description="Whether what users do is kept (`POST /feedback`): `off` without a store, `write-key` "
        "where only apps with a key of MATINEE_WRITE_KEYS may write, `on` where all who may ask may write.",
        examples=["on"],
    )
    manifest: dict[str, Any] = Field(
        description="The bundle's manifest.",
        examples=[{"bundle_id": "20261121T062118Z-df4c644d", "max_history": 512, "rating_scale": [1.0, 5.0]}],
    )
