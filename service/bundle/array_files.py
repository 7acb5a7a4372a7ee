"""Write and memory-map a bundle's array files (.npy); nothing is ever pickled or unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from service.bundle.disk import replacing
from service.errors import BundleInconsistent, BundleUnreadable


def write_array(path: Path, array: ArrayLike, dtype: type[np.generic]) -> None:
    """Write an array as this type, replacing the file whole; makes the directory where it is missing.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.asarray(array, dtype), allow_pickle=False)


def open_array(path: Path, dtype: type[np.generic], *, dimensions: int) -> NDArray[Any]:
    """Map an array file into memory, read-only, so that processes share one copy.

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
    # A plain array over the mapping: slicing np.memmap itself costs microseconds more each time.
    return mapped.view(np.ndarray)
