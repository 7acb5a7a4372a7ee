"""The hyper-parameters of a command: a preset, a file over it, and over both what is given alone."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from training.cli.config_file import read_config_file
from training.config import PRESETS, TrainingConfig
from training.errors import ConfigurationError

_KINDS = {field.name: str(field.type) for field in fields(TrainingConfig)}


def given_config(
    preset: str,
    file: Path | None = None,
    settings: Sequence[str] = (),
    *,
    layers: str | None = None,
    **options: float | None,
) -> TrainingConfig:
    """Override hyper-parameters of the preset by those of a file, and both by those that are given alone.

    Args:
        preset: A name of `PRESETS`.
        file: Of `--config`.
        settings: Each the `NAME=VALUE` of a `--set`.
        layers: Of `--layers`.
        options: Values of the options that are named as their hyper-parameters; None: not given.

    Raises:
        ConfigurationError: A name or value cannot be used, or one is given by `--set` and an option.
    """
    given = PRESETS[preset] | (read_config_file(file) if file is not None else {})
    singly: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    if layers is not None:
        singly["layers"] = _read_layers(layers)
    config = TrainingConfig(**given | singly)
    if not settings:
        return config
    try:
        return TrainingConfig.from_document(config.to_document() | _read_settings(settings, taken=singly))
    except ConfigurationError as error:
        raise ConfigurationError(f"--set {' --set '.join(settings)}: {error}") from error


def _read_settings(settings: Sequence[str], taken: Collection[str]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    for text in settings:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator or not name:
            raise ConfigurationError(f"expected NAME=VALUE, such as learning_rate=0.003, got {text!r}")
        if name in read or name in taken:
            raise ConfigurationError(f"{name} is given twice; leave one out")
        read[name] = _read_value(value.strip(), _KINDS.get(name, ""))
    return read


def _read_value(text: str, kind: str) -> Any:
    """A value as TOML writes it; of a list also without brackets, and text where it is neither."""
    is_list = kind.startswith("tuple")
    written = f"[{text}]" if is_list and not text.startswith("[") else text
    try:
        return tomllib.loads(f"value = {written.lower() if kind == 'bool' else written}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _read_layers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(width) for width in text.split(",") if width.strip())
    except ValueError as error:
        raise ConfigurationError(f"--layers must be widths such as 64,32, got {text!r}") from error
