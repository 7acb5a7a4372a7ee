from service.batching.pace import AT_ONCE_SECONDS, Pace


def paced(seconds: float, *, batches: int = 8, bundle_id: str = "one") -> Pace:
    pace = Pace()
    for _ in range(batches):
        pace.took(bundle_id, 4, 4 * seconds)
    return pace


def test_nothing_is_quick_before_enough_batches_were_timed() -> None:
    assert not Pace().is_quick("one", 1)
    assert not paced(0.00001, batches=7).is_quick("one", 1)
    assert paced(0.00001).is_quick("one", 1)


def test_a_batch_is_quick_as_long_as_all_of_it_is_expected_to_be() -> None:
    pace = paced(AT_ONCE_SECONDS / 10)
    assert pace.is_quick("one", 9)
    assert not pace.is_quick("one", 11)


def test_one_slow_batch_changes_little_and_many_do() -> None:
    pace = paced(AT_ONCE_SECONDS / 100)
    pace.took("one", 1, 60)
    assert pace.is_quick("one", 16)
    for _ in range(40):
        pace.took("one", 1, 60)
    assert not pace.is_quick("one", 1)


def test_another_bundle_is_timed_anew() -> None:
    pace = paced(0.00001)
    assert not pace.is_quick("two", 1)
    pace.took("two", 1, 0.00001)
    assert not pace.is_quick("two", 1)
    assert not pace.is_quick("one", 1)
