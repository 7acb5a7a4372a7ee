from service.batching.batch_timing import QUICK_SECONDS, BatchTiming


def timed(seconds: float, *, batches: int = 8) -> BatchTiming:
    timing = BatchTiming()
    for _ in range(batches):
        timing.add(4, 4 * seconds)
    return timing


def test_nothing_is_quick_before_enough_batches_were_timed() -> None:
    assert not BatchTiming().is_quick(1)
    assert not timed(0.00001, batches=7).is_quick(1)
    assert timed(0.00001).is_quick(1)


def test_a_batch_is_quick_as_long_as_all_of_it_is_expected_to_be() -> None:
    timing = timed(QUICK_SECONDS / 10)
    assert timing.is_quick(9)
    assert not timing.is_quick(11)


def test_one_slow_batch_changes_little_and_many_do() -> None:
    timing = timed(QUICK_SECONDS / 100)
    timing.add(1, 60)
    assert timing.is_quick(16)
    for _ in range(40):
        timing.add(1, 60)
    assert not timing.is_quick(1)
