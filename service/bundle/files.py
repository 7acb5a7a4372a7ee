"""Reads the files of a bundle; whatever is wrong with one becomes a bundle error naming it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.errors import BundleInconsistent, BundleUnreadable


def load_json(path: Path) -> Any:
    """Reads a JSON document.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleInconsistent: It is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise BundleUnreadable(f"{path}: {error.strerror}; copy the bundle again") from error
    except (ValueError, RecursionError) as error:
        raise BundleInconsistent(f"{path}: not JSON ({error}); export again") from error


def load_array(path: Path, dtype: type[np.generic], *, dimensions: int) -> NDArray[Any]:
    """Maps an array file into memory, read-only; nothing in it is ever unpickled.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleInconsistent: It is no array, or one of another type or number of dimensions.
    """
    try:
        mapped = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise BundleUnreadable(f"{path}: {error.strerror or error}; copy the bundle again") from error
    except ValueError as error:
        raise BundleInconsistent(f"{path}: cannot be mapped ({error}); export again") from error
    if mapped.dtype != dtype or mapped.ndim != dimensions:
        raise BundleInconsistent(
            f"{path}: expected {np.dtype(dtype)} with {dimensions} dimensions, "
            f"got {mapped.dtype} with {mapped.ndim}; export again"
        )
    # A plain view of the mapping: slicing np.memmap itself costs microseconds more each time.
    return mapped.view(np.ndarray)
