"""TensorFlow without its messages, imported when a command begins.

It takes seconds, which `--help` and typing errors need not. So a command imports what needs it, such as
`training.pipeline`, in its function, after this.
"""

from __future__ import annotations

import os

from service.bundle.tensorflow_import import import_tensorflow


def import_tensorflow_quietly() -> None:
    """Import TensorFlow, without its messages then and later."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its errors are exceptions as well
    import_tensorflow()
