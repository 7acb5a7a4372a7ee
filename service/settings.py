"""What the environment says about this process: one frozen object, read once at the start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
IndexKind = Literal["annoy", "exact", "auto"]
LogFormat = Literal["json", "text"]
_OPEN = "page|docs|metrics|report"


def split_keys(keys: str) -> list[str]:
    """Keys that are separated by commas, spaces or ends of lines."""
    return [key for key in re.split(r"[\s,]+", keys) if key]


def _sendable(keys: SecretStr) -> SecretStr:
    # A mistyped list must not leave the service open, and what no header can hold would never match.
    given = keys.get_secret_value()
    if given and not split_keys(given):
        raise ValueError("expected keys separated by commas, got none")
    if not all(key.isascii() and key.isprintable() for key in split_keys(given)):
        raise ValueError("expected keys of visible ASCII characters, got others")
    return keys


KeyList = Annotated[SecretStr, AfterValidator(_sendable)]


class Settings(BaseSettings):
    """Settings by the variable `MATINEE_<NAME>`; units end the names.

    Raises:
        pydantic.ValidationError: A value is malformed or out of its range.
    """

    model_config = SettingsConfigDict(
        env_prefix="MATINEE_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    artifacts: Path = Field(default=Path("artifacts"), description="Where bundles and CURRENT are.")
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    reload_seconds: float = Field(
        default=2.0, gt=0, le=86_400, allow_inf_nan=False, description="Pause between two looks at CURRENT."
    )
    shutdown_seconds: int = Field(
        default=8, ge=1, description="From SIGTERM to the end; requests in flight may take 0.8 of it."
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Processes; with the threads of each, no more than there are cores.",
    )
    request_timeout_ms: int = Field(
        default=5_000, ge=1, le=600_000, description="How long a request may wait for its answer; then 504."
    )
    queue_size: int = Field(
        default=1_000, ge=1, description="Requests that may wait; one more is refused at once with 503."
    )
    batch_size: int = Field(default=64, ge=1, le=1_024, description="Requests that share a model call.")
    index: IndexKind = Field(
        default="annoy",
        description="How candidates are found: by annoy, by scoring every one (exact), or auto: exact for up "
        "to 5000.",
    )
    remembered_users: int = Field(
        default=20_000,
        ge=0,
        le=10_000_000,
        description="Known users whose history the model need not read again; each takes about 1 KB.",
    )
    max_body_bytes: int = Field(
        default=4_194_304,
        ge=1_024,
        description="Largest body that is read; a larger one is refused with 413.",
    )
    max_connections: int = Field(
        default=2_000, ge=1, description="Connections to one worker; beyond, the longest silent is closed."
    )
    receive_seconds: float = Field(
        default=30.0,
        gt=0,
        le=3_600,
        allow_inf_nan=False,
        description="How long a request may take to come, and its answer to be taken; then it is cut off.",
    )
    catalogue_threads: int = Field(
        default=2, ge=1, description="Searches of the catalogue worked on at the same time."
    )
    tensorflow_intra_op_threads: int = Field(
        default=1, ge=1, description="Threads inside one TensorFlow operation."
    )
    tensorflow_inter_op_threads: int = Field(
        default=1, ge=1, description="TensorFlow operations run at the same time."
    )
    blas_threads: int = Field(default=1, ge=1, description="Threads inside one product of numpy.")
    log_level: LogLevel = Field(default="info", description="The least severe message that is logged.")
    log_format: LogFormat = Field(
        default="json", description="One JSON object a line for programs, or text for people."
    )
    api_keys: KeyList = Field(
        default=SecretStr(""),
        description="Keys that apps send, separated by commas; without one anybody may ask.",
    )
    admin_keys: KeyList = Field(
        default=SecretStr(""),
        description="Keys that open /admin/*, separated by commas; without one it is closed.",
    )
    open: str = Field(
        default="page,docs",
        pattern=rf"^(nothing|({_OPEN})(,({_OPEN}))*)$",
        description="What needs no key where API_KEYS are set: of page, docs, metrics, report; or nothing.",
    )
    cors_origins: str = Field(
        default="",
        pattern=r"^(\*|https?://[^\s,/*]+(,https?://[^\s,/*]+)*)?$",
        description="Origins whose pages may ask, such as https://app.example, separated by commas; or *.",
    )
    model_delay_ms: int = Field(
        default=0,
        ge=0,
        le=60_000,
        description="Added to each model call, for tests of overload: it lowers what the service can do.",
    )
    tracing: Literal["off", "otlp"] = Field(
        default="off",
        description="Where spans go; otlp reads OTEL_EXPORTER_OTLP_ENDPOINT and needs the extra tracing.",
    )


SECRET = ("api_keys", "admin_keys")
"""Settings whose values are shown to nobody."""
