"""Import TensorFlow, or load its library, without its start-up messages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

_FILTER = r"""
import re, sys
noise = re.compile(rb"I\d{4} |WARNING: All log messages before absl|To enable the following instructions: ")
for line in sys.stdin.buffer:
    if not noise.match(line):
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
"""


def import_tensorflow() -> Any:
    """Import TensorFlow; its informative messages do not reach standard error.

    Returns:
        The module `tensorflow`.
    """
    with nullcontext() if "tensorflow" in sys.modules else without_startup_messages():
        import tensorflow  # noqa: PLC0415  takes seconds and hundreds of megabytes
    return tensorflow


@contextmanager
def without_startup_messages() -> Iterator[None]:
    """Keep informative messages of TensorFlow's libraries from standard error.

    `TF_CPP_MIN_LOG_LEVEL` holds only once they are loaded: they write before they read it, such as that
    oneDNN is on, and no other variable hides that without changing the arithmetic.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    with _filtered_stderr():
        yield


@contextmanager
def _filtered_stderr() -> Iterator[None]:
    """Pass file descriptor 2 through `_FILTER`.

    In a process of its own, so that what TensorFlow writes before it aborts, as on a CPU that lacks an
    instruction, is still written.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    command = [sys.executable, "-IS", "-c", _FILTER]
    # A process group of its own: Ctrl-C must not end it before this process, whose last words it passes on.
    with subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0) as process:  # noqa: S603  our own
        assert process.stdin is not None  # noqa: S101  for mypy
        os.dup2(process.stdin.fileno(), 2)
        process.stdin.close()
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
