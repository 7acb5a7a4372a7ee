"""Read a file of hyper-parameters, as `tune` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.config import TrainingConfig
from training.errors import ConfigurationError


def read_config_file(path: Path) -> dict[str, Any]:
    """Read the hyper-parameters that a JSON file names.

    Args:
        path: One JSON object, as of `TrainingConfig.to_document`; names may be left out.

    Raises:
        ConfigurationError: The file is missing or no such object, or a name or value cannot be used.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"--config {path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"--config {path}: expected a JSON object, got no JSON: {error}") from error
    if not isinstance(document, dict):
        kind = type(document).__name__
        raise ConfigurationError(f"--config {path}: expected a JSON object of hyper-parameters, got a {kind}")
    try:
        config = TrainingConfig.from_document(document)
    except ConfigurationError as error:
        raise ConfigurationError(f"--config {path}: {error}") from error
    return {name: getattr(config, name) for name in document}
