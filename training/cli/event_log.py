"""Write the losses and measures of training as event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from training.errors import ConfigurationError
from training.model.epoch_record import OnEpoch

# `tf.summary.scalar` is TensorBoard's own code and does nothing without that package; this is what it writes.
_SCALAR = tf.compat.v1.SummaryMetadata(
    plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars"),
    data_class="DATA_CLASS_SCALAR",
)


@contextmanager
def event_log(directory: Path | None, run: str) -> Iterator[OnEpoch]:
    """Open event files; yield a function that writes the figures of an epoch, one tag each.

    Args:
        directory: The directory of all runs; None: nothing is written.
        run: The name of this run's directory in it.

    Raises:
        ConfigurationError: The directory cannot be written to.
    """
    if directory is None:
        yield lambda _epoch, _figures: None
        return
    try:
        writer = tf.summary.create_file_writer(str(directory / run))
    except tf.errors.OpError as error:
        raise ConfigurationError(f"--tensorboard {directory}: cannot be written: {error.message}") from error

    def write(epoch: int, figures: dict[str, float]) -> None:
        with writer.as_default():
            for name, value in figures.items():
                tf.summary.write(name, tf.constant(value, tf.float32), step=epoch, metadata=_SCALAR)
        writer.flush()

    try:
        yield write
    finally:
        writer.close()
