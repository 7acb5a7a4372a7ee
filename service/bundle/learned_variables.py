"""What training learned, as variables of the SavedModel in `model/`: what a warm start begins with.

The model tracks a mapping `learned` of names to variables, without a signature: the service does not read it.
Bundles of before it was there have none, and serve as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.saved_model import MODEL_DIRECTORY
from service.bundle.tensorflow_import import import_tensorflow
from service.errors import BundleInconsistent, BundleUnreadable

_PREFIX, _SUFFIX = "learned/", "/.ATTRIBUTES/VARIABLE_VALUE"


def track(module: Any, variables: Mapping[str, Any]) -> None:
    """Have a `tf.Module` saved with variables by name.

    Args:
        module: Is given the attribute `learned`.
        variables: `tf.Variable` by name; names have neither `/` nor `.`, which TensorFlow would escape.
    """
    module.learned = dict(variables)


def read_learned(directory: Path) -> dict[str, NDArray[Any]]:
    """Read the variables of a bundle by name; those of text as bytes.

    Raises:
        BundleUnreadable: The variables' files are missing, or cannot be read.
        BundleInconsistent: The model was saved without them.
    """
    tensorflow = import_tensorflow()

    path = directory / MODEL_DIRECTORY / "variables" / "variables"
    try:
        reader = tensorflow.train.load_checkpoint(str(path))
        keys = [key for key in reader.get_variable_to_shape_map() if key.startswith(_PREFIX)]
        found = {
            key.removeprefix(_PREFIX).removesuffix(_SUFFIX): np.asarray(reader.get_tensor(key))
            for key in sorted(keys)
        }
    except (ValueError, RuntimeError, tensorflow.errors.OpError) as error:
        raise BundleUnreadable(f"{path}: TensorFlow cannot read it ({error}); export again") from error
    if not found:
        raise BundleInconsistent(
            f"{path}: expected what training learned by name, found none: the bundle is of an earlier "
            "version; train in full once"
        )
    return found
