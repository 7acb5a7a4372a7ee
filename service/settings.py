"""Settings of the service, read once at the start from environment variables into a frozen object."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.bundle.mirrored_artifacts import DEFAULT_CACHE, cache_of
from service.bundle.object_storage import is_url

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
IndexKind = Literal["annoy", "exact", "auto"]
LogFormat = Literal["json", "text"]
_OPEN = "page|docs|metrics|report"


def split_keys(keys: str) -> list[str]:
    """Split a list of keys at commas, spaces and line ends."""
    return [key for key in re.split(r"[\s,]+", keys) if key]


def _check_sendable(keys: SecretStr) -> SecretStr:
    # A mistyped list must not leave the service open, and what no header can hold would never match.
    given = keys.get_secret_value()
    if given and not split_keys(given):
        raise ValueError("expected keys separated by commas, got only separators")
    if not all(key.isascii() and key.isprintable() for key in split_keys(given)):
        raise ValueError("expected keys of visible ASCII characters, got others")
    return keys


def split_networks(networks: str) -> list[str]:
    """Split a list of addresses and networks at commas."""
    return [network.strip() for network in networks.split(",") if network.strip()]


def _check_networks(networks: str) -> str:
    for network in split_networks(networks):
        try:
            ip_network(network)
        except ValueError as error:
            # Of `*` too: every client could then forge its address.
            raise ValueError(
                f"expected addresses or networks of balancers, such as 10.0.0.5,10.1.0.0/16, got {network!r}"
            ) from error
    return networks


def _directory_or_url(artifacts: object) -> object:
    return artifacts if is_url(artifacts) or not isinstance(artifacts, str) else Path(artifacts)


Networks = Annotated[str, AfterValidator(_check_networks)]
KeyList = Annotated[SecretStr, AfterValidator(_check_sendable)]


class Settings(BaseSettings):
    """Settings of the service, each from the variable `MATINEE_<NAME>`; names end with their units.

    Raises:
        pydantic.ValidationError: A value is malformed or out of its range.
    """

    model_config = SettingsConfigDict(
        env_prefix="MATINEE_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        validate_by_name=True,
        loc_by_alias=False,
    )

    artifacts: Annotated[Path | str, BeforeValidator(_directory_or_url)] = Field(
        default=Path("artifacts"), description="Where bundles and CURRENT are: a directory, or s3://..."
    )
    artifacts_cache: Path = Field(
        default=DEFAULT_CACHE, description="Where copies of bundles are kept, of an ARTIFACTS that is a URL."
    )
    store: str = Field(
        default="store/feedback.sqlite3",
        min_length=1,
        description="Where posted feedback is kept: a path for SQLite, postgresql://..., or off.",
    )
    event_id_days: int = Field(
        default=30, ge=1, le=36_500, description="Days in which an event with an event_id counts once."
    )
    click_days: int = Field(
        default=90, ge=1, le=36_500, description="Days for which clicks and impressions are kept."
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    reload_seconds: float = Field(
        default=2.0, gt=0, le=86_400, allow_inf_nan=False, description="Pause between two reads of CURRENT."
    )
    shutdown_seconds: int = Field(
        default=8, ge=1, description="From SIGTERM to exit; requests in flight may take 0.8 of it."
    )
    drain_seconds: int = Field(
        default=0,
        ge=0,
        le=600,
        description="From SIGTERM until connections are refused; /readyz is 503, all else is answered.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Worker processes; workers times threads should not exceed the cores.",
    )
    request_timeout_ms: int = Field(
        default=5_000, ge=1, le=600_000, description="How long a request may wait; then it gets 504."
    )
    queue_size: int = Field(
        default=1_000, ge=1, description="Requests that may wait; further ones get 503 at once."
    )
    batch_size: int = Field(default=64, ge=1, le=1_024, description="Most requests in one model call.")
    index: IndexKind = Field(
        default="annoy",
        description="How candidates are found: annoy, exact (every candidate is scored), or auto: exact for "
        "up to 40,000 candidates.",
    )
    explore: float = Field(
        default=0.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of a list's places for movies with few ratings, unless a request says another.",
    )
    cached_users: int = Field(
        default=20_000,
        ge=0,
        le=10_000_000,
        # The second is the variable's name of before.
        validation_alias=AliasChoices("matinee_cached_users", "matinee_remembered_users"),
        description="Known users whose query states are cached, about 1 KB each; 0 turns the cache off.",
    )
    load_priority: Literal["idle", "normal"] = Field(
        default="idle",
        description="How a worker loads the next bundle beside others: idle only takes what they leave.",
    )
    max_body_bytes: int = Field(
        default=4_194_304,
        ge=1_024,
        description="Largest request body; a larger one gets 413.",
    )
    max_connections: int = Field(
        default=2_000, ge=1, description="Connections to one worker; past it the longest idle one is closed."
    )
    receive_seconds: float = Field(
        default=30.0,
        gt=0,
        le=3_600,
        allow_inf_nan=False,
        description="How long receiving a request, or sending its answer, may take; then it is cut off.",
    )
    catalogue_threads: int = Field(default=2, ge=1, description="Threads that search the catalogue.")
    tensorflow_intra_op_threads: int = Field(
        default=1, ge=1, description="Threads inside one TensorFlow operation."
    )
    tensorflow_inter_op_threads: int = Field(
        default=1, ge=1, description="TensorFlow operations that run in parallel."
    )
    blas_threads: int = Field(default=1, ge=1, description="Threads inside one matrix product of numpy.")
    log_level: LogLevel = Field(default="info", description="Least severe level that is logged.")
    log_format: LogFormat = Field(
        default="json", description="json: one JSON object per line, for programs; text: for people."
    )
    log_probes: bool = Field(
        default=True, description="Whether requests to /healthz and /readyz are logged that are no errors."
    )
    api_keys: KeyList = Field(
        default=SecretStr(""),
        description="Keys for clients, separated by commas; if empty, no key is needed.",
    )
    admin_keys: KeyList = Field(
        default=SecretStr(""),
        description="Keys for /admin/*, separated by commas; if empty, /admin/* is closed.",
    )
    write_keys: KeyList = Field(
        default=SecretStr(""),
        description="Keys of apps that write feedback, separated by commas; if empty, those of API_KEYS do.",
    )
    open: str = Field(
        default="page,docs",
        pattern=rf"^(nothing|({_OPEN})(,({_OPEN}))*)$",
        description="What needs no key when API_KEYS are set: of page, docs, metrics, report; or nothing.",
    )
    cors_origins: str = Field(
        default="",
        pattern=r"^(\*|https?://[^\s,/*]+(,https?://[^\s,/*]+)*)?$",
        description="Origins allowed by CORS, such as https://app.example, separated by commas; or *.",
    )
    trusted_proxies: Networks = Field(
        default="",
        description="Addresses and networks of balancers, whose X-Forwarded-For names the client.",
    )
    model_delay_ms: int = Field(
        default=0,
        ge=0,
        le=60_000,
        description="Delay added to each model call, for overload tests: it lowers the capacity.",
    )
    tracing: Literal["off", "otlp"] = Field(
        default="off",
        description="Where spans go; otlp needs OTEL_EXPORTER_OTLP_ENDPOINT and requirements/tracing.txt.",
    )

    @property
    def artifacts_directory(self) -> Path:
        """Where bundles are on this machine."""
        if isinstance(self.artifacts, Path):
            return self.artifacts
        return cache_of(self.artifacts, self.artifacts_cache)


SECRET = ("api_keys", "admin_keys", "write_keys", "store")
"""Settings whose values are never shown."""
