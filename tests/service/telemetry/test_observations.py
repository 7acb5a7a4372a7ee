"""Collected values are counted as the histogram would have counted each."""

from __future__ import annotations

import random
import threading

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from service.telemetry import observations
from service.telemetry.observations import Observations

BUCKETS = (0.1, 0.5, 1.0)


def histogram(registry: CollectorRegistry) -> Histogram:
    return Histogram("seconds", "Seconds.", buckets=BUCKETS, registry=registry)


def test_values_are_counted_like_one_by_one_also_on_the_bounds() -> None:
    draw = random.Random(1)  # noqa: S311 no secret
    values = [0.1, 0.5, 1.0, 0.0, 2.0, *(draw.randrange(64) / 32 for _ in range(200))]
    one_by_one, collected = CollectorRegistry(), CollectorRegistry()
    each, together = histogram(one_by_one), Observations(histogram(collected))
    for value in values:
        each.observe(value)
        together.observe(value)
    assert generate_latest(collected) != generate_latest(one_by_one)
    together.count()
    assert generate_latest(collected) == generate_latest(one_by_one)
    together.count()
    assert generate_latest(collected) == generate_latest(one_by_one)


def test_more_than_may_wait_are_counted_at_once() -> None:
    registry = CollectorRegistry()
    waiting = Observations(histogram(registry))
    for _ in range(observations.MOST_COLLECTED):
        waiting.observe(0.25)
    assert registry.get_sample_value("seconds_count") == observations.MOST_COLLECTED


def test_no_value_is_lost_or_counted_twice_where_threads_add_and_count() -> None:
    registry = CollectorRegistry()
    waiting = Observations(histogram(registry))

    def work() -> None:
        for place in range(20_000):
            waiting.observe(0.25)
            if place % 7 == 0:
                waiting.count()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waiting.count()
    assert registry.get_sample_value("seconds_count") == 80_000
