"""Train the deep retrieval tutorial's model in TFRS 0.7.7 and leave all that this project needs to follow it.

`python tutorial_depth_tfrs.py ROWS.npz OUT.npz LAYERS SEED RATE STEPS EPOCHS` draws initial weights with SEED
and trains STEPS batches, or EPOCHS epochs where STEPS is 0. Each epoch has its rows in the order of the next
`numpy.random.default_rng(SEED).permutation`, as in `training.experiments.tutorial_fitting`. OUT.npz gets the
initial weights (`0`, `1`, ...), the `words` of titles by row, the `normalized_times` of all ratings in the
split's order, the loss per row of each step (`steps`), and the `accuracy` by validated epoch (`epochs`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from deep_retrieval_tfrs import BATCH, DeepRetrieval, published_ratings  # asks for Keras 2: first

import tensorflow as tf  # isort: skip
import tf_keras as keras  # isort: skip

_VALIDATION_EPOCHS = 25
_ACCURACY = "val_factorized_top_k/top_100_categorical_accuracy"

Columns = dict[str, tf.Tensor]


def batches(train: Columns, num_rows: int, seed: int) -> Iterator[Columns]:
    """Yield the batches of one epoch after the other, without end."""
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(num_rows)
        for start in range(0, num_rows, BATCH):
            rows = order[start : start + BATCH]
            yield {name: tf.gather(values, rows) for name, values in train.items()}


def main() -> None:
    """Train and write."""
    source, out, widths, *numbers = sys.argv[1:]
    rows = dict(np.load(source))
    seed, steps, epochs = int(numbers[0]), int(numbers[2]), int(numbers[3])
    columns = next(iter(published_ratings(rows).batch(100_000)))
    num_rows = len(columns["timestamp"]) * 8 // 10
    train = {name: values[:num_rows] for name, values in columns.items()}
    test = {name: values[num_rows:] for name, values in columns.items()}

    keras.utils.set_random_seed(seed)
    model = DeepRetrieval(rows, tuple(json.loads(widths)), rows["movies"])
    model.compile(optimizer=keras.optimizers.Adagrad(float(numbers[1])))
    model.compute_loss({name: values[:2] for name, values in train.items()}, training=True)
    initial = [weight.numpy() for weight in model.trainable_variables]
    result: dict[str, object] = {str(at): value for at, value in enumerate(initial)}
    normalized = model.query.layers[0].normalized(tf.cast(columns["timestamp"], tf.float32))
    result["normalized_times"] = normalized.numpy().ravel()
    result["words"] = np.array(model.candidate.layers[0].words.layers[0].get_vocabulary())

    if steps:
        step = tf.function(model.train_step)
        result["steps"] = [
            float(step(batch)["loss"]) / len(batch["timestamp"])
            for batch in islice(batches(train, num_rows, seed), steps)
        ]
    else:
        one = tf.data.Dataset.from_generator(
            lambda: batches(train, num_rows, seed),
            output_signature={name: tf.TensorSpec([None], values.dtype) for name, values in train.items()},
        )
        history = model.fit(
            one.prefetch(2),
            steps_per_epoch=-(-num_rows // BATCH),
            validation_data=tf.data.Dataset.from_tensor_slices(test).batch(4_096),
            validation_freq=_VALIDATION_EPOCHS,
            epochs=epochs,
            verbose=0,
        ).history
        result["accuracy"] = history[_ACCURACY]
        result["epochs"] = range(_VALIDATION_EPOCHS, epochs + 1, _VALIDATION_EPOCHS)
    np.savez(Path(out), **{name: np.asarray(value) for name, value in result.items()})


if __name__ == "__main__":
    main()
