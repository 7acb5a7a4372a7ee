"""What an exchange of gradients costs a worker in each step, with workers as processes of this machine.

    python -m benchmarks.exchange --page docs/scale.md

Gradients have the shapes of the model's: of MovieLens 100K's, summed whole, and of a model of a million
candidates and 162,000 users, of which the touched rows are gathered. What a worker alone does with them as
well is subtracted.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer

from benchmarks.page import markdown_table, replace_between

MARK = "benchmarks.exchange"
_WARM_UP, _STEPS = 20, 200
_OF_CANDIDATES = 64, 64, 64, 16, 16, 1, 1  # widths of tables with a row for each


class Size(NamedTuple):
    """A model's size, and what a step of 64 users touches of it.

    Attributes:
        name: For the table.
        candidates, users, words: Rows of tables.
        columns: Columns of the softmax, the same on every worker.
        history: Movies in the histories of a worker's users.
    """

    name: str
    candidates: int
    users: int
    words: int
    columns: int
    history: int


SIZES = (
    Size("100K", 1_682, 943, 2_600, 1_682, 2_000),
    Size("a million candidates", 1_000_000, 162_000, 10_000, 8_000, 2_000),
)


def main(
    workers: Annotated[list[int], typer.Option(help="Of each group that is measured.")] = [2, 3],  # noqa: B006
    page: Annotated[Path | None, typer.Option(help="A page with the marks of this benchmark.")] = None,
) -> None:
    """Measure each size with each number of workers and print the table."""
    rows = []
    for size in range(len(SIZES)):
        for count in workers:
            found = _measure(size, count)
            rows.append([SIZES[size].name, str(count), *(f"{found[key]:,.1f}" for key in found)])
    table = markdown_table(
        ["model", "workers", "parameters, million", "processor ms", "ms by the clock"], rows
    )
    print(table)  # noqa: T201
    if page is not None:
        replace_between(page, MARK, table)


def _measure(size: int, workers: int) -> dict[str, float]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(workers)]
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    processes = []
    for rank in range(workers):
        group = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        environment = os.environ | {
            "TF_CONFIG": json.dumps(group),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTRAOP_THREADS": "1",
        }
        command = [sys.executable, "-m", "benchmarks.exchange", "worker", str(size)]
        processes.append(
            subprocess.Popen(  # noqa: S603
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        )
    outputs = [process.communicate(timeout=900)[0] for process in processes]
    found = [json.loads(output) for output in outputs]
    return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def _work(size: Size) -> dict[str, float]:
    """Exchange as one worker, and print what a step took."""
    from training.distributed.gradient_exchange import GATHERED_FROM, GradientExchange  # noqa: PLC0415  TensorFlow

    exchange = GradientExchange.from_environment()
    import tensorflow as tf  # noqa: PLC0415 after the environment is set

    random = np.random.default_rng(exchange.rank)
    dense = [(1_000, 64), *[(64, 64)] * 6, (65, 16), (size.words, 64), (size.words, 1)]
    columns = np.random.default_rng(0).permutation(size.candidates)[: size.columns]
    popular = random.pareto(0.8, size.history).astype(np.int64) % size.candidates
    shapes: list[tuple[int, ...]] = [*dense]
    gradients: list[Any] = [tf.constant(random.normal(size=shape), tf.float32) for shape in dense]
    for at, width in enumerate((*_OF_CANDIDATES, 64)):
        of_users = at == len(_OF_CANDIDATES)
        shape = (size.users if of_users else size.candidates, width)
        rows = random.integers(0, size.users, 64) if of_users else columns if at in {0, 5} else popular
        values = tf.constant(random.normal(size=(len(rows), width)), tf.float32)
        shapes.append(shape)
        gradients.append(tf.IndexedSlices(values, tf.constant(rows, tf.int32), tf.constant(shape)))

    known = [tf.TensorShape(each) for each in shapes]

    def total(of: list[Any]) -> tf.Tensor:
        values = [each.values if isinstance(each, tf.IndexedSlices) else each for each in of]
        return tf.add_n([tf.reduce_sum(each) for each in values])

    def together() -> tf.Tensor:
        summed, losses = exchange.sum(gradients, known, tf.zeros([2]))
        return losses[0] + total(summed)

    def alone() -> tf.Tensor:
        """What the optimizer of one worker does of it as well: small tables' gradients as whole tables."""
        small = [shape[0] < GATHERED_FROM for shape in shapes]
        return total(
            [
                tf.convert_to_tensor(each) if is_small else each
                for each, is_small in zip(gradients, small, strict=True)
            ]
        )

    (processor, clock), (processor_alone, clock_alone) = (
        _ms_of(tf.function(step)) for step in (together, alone)
    )
    return {
        "parameters": sum(int(np.prod(shape)) for shape in shapes) / 1e6,
        "processor": processor - processor_alone,
        "clock": clock - clock_alone,
    }


def _ms_of(step: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds of a step, of processor and by the clock."""
    for _ in range(_WARM_UP):
        step()
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(_STEPS):
        step()
    took = time.process_time() - processor, time.perf_counter() - clock
    return 1_000 * took[0] / _STEPS, 1_000 * took[1] / _STEPS


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        print(json.dumps(_work(SIZES[int(sys.argv[2])])))  # noqa: T201
    else:
        typer.run(main)
