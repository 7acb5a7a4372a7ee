"""Import the pipeline when a command begins: it takes seconds, which `--help` and typing errors need not."""

from __future__ import annotations

import os
from types import ModuleType

from service.bundle.tensorflow_import import import_tensorflow


def import_pipeline() -> ModuleType:
    """Import `training.pipeline`, and TensorFlow first, without its messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its errors are exceptions as well
    import_tensorflow()
    from training import pipeline  # noqa: PLC0415  see above

    return pipeline
