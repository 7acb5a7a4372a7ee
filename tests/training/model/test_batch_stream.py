"""Batches go into TensorFlow as they are, and nothing of them stays there."""

import gc
import weakref
from collections.abc import Iterator

import numpy as np

from training.model.batch_stream import BatchStream
from training.model.examples import Batch


class Source:
    """Endless batches of its number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def batches(self) -> Iterator[Batch]:
        while True:
            yield {
                "user_rows": np.full(3, self._number, np.int32),
                "rating_pairs": np.zeros((self._number, 2), np.int32),
            }


def test_batches_of_any_length_come_as_they_are() -> None:
    batches = [next(Source(number).batches()) for number in (1, 4)]
    dataset = BatchStream(iter(batches), batches[0]).dataset()
    found = [{name: value.numpy().tolist() for name, value in batch.items()} for batch in dataset]
    assert found == [{name: value.tolist() for name, value in batch.items()} for batch in batches]
    assert dataset.element_spec["rating_pairs"].shape.as_list() == [None, 2]


def test_a_closed_stream_has_ended_and_nothing_holds_what_it_came_from() -> None:
    source = Source(2)
    stream = BatchStream(source.batches(), next(source.batches()))
    iterator = iter(stream.dataset())
    assert next(iterator)["user_rows"].numpy().tolist() == [2, 2, 2]
    left = weakref.ref(source)
    del source
    stream.close()
    gc.collect()
    assert left() is None
    assert len(list(iterator)) <= 3  # prepared before
