"""Read a file of hyper-parameters: TOML as people write it, or JSON as `tune` does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from training.config import TrainingConfig
from training.errors import ConfigurationError


def read_config_file(path: Path) -> dict[str, Any]:
    """Read the hyper-parameters that a file names.

    Args:
        path: TOML if its name ends in `.toml`; else one JSON object, as of `TrainingConfig.to_document`.
            Names may be left out.

    Raises:
        ConfigurationError: The file is missing or no such object, or a name or value cannot be used.
    """
    kind, parse = ("TOML", tomllib.loads) if path.suffix.lower() == ".toml" else ("a JSON object", json.loads)
    try:
        document = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"--config {path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        found = "other text" if kind == "TOML" else "no JSON (the name of a TOML file ends in .toml)"
        raise ConfigurationError(f"--config {path}: expected {kind}, got {found}: {error}") from error
    if not isinstance(document, dict):
        found = type(document).__name__
        raise ConfigurationError(
            f"--config {path}: expected a JSON object of hyper-parameters, got a {found}"
        )
    try:
        config = TrainingConfig.from_document(document)
    except ConfigurationError as error:
        raise ConfigurationError(f"--config {path}: {error}") from error
    return {name: getattr(config, name) for name in document}
