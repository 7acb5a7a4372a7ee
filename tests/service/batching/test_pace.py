from service.batching.pace import AT_ONCE_SECONDS, Pace


def paced(seconds: float, *, batches: int = 8, bundle_id: str = "one") -> Pace:
    pace = Pace()
    for _ in range(batches):
        pace.took(bundle_id, 4, 4 * seconds)
    return pace


def test_nothing_is_quick_before_enough_batches_were_timed() -> None:
    assert not Pace().is_quick(1)
    assert not paced(0.00001, batches=7).is_quick(1)
    assert paced(0.00001).is_quick(1)


def test_a_batch_is_quick_as_long_as_all_of_it_is_expected_to_be() -> None:
    pace = paced(AT_ONCE_SECONDS / 10)
    assert pace.is_quick(9)
    assert not pace.is_quick(11)


def test_one_slow_batch_changes_little_and_many_do() -> None:
    pace = paced(AT_ONCE_SECONDS / 100)
    pace.took("one", 1, 60)
    assert pace.is_quick(16)
    for _ in range(40):
        pace.took("one", 1, 60)
    assert not pace.is_quick(1)


def test_another_bundle_is_taken_to_be_as_quick_until_it_is_timed() -> None:
    pace = paced(AT_ONCE_SECONDS / 100)
    pace.took("two", 1, AT_ONCE_SECONDS / 100)
    assert pace.is_quick(50)
    for _ in range(3):
        pace.took("three", 1, AT_ONCE_SECONDS)
    assert not pace.is_quick(16)


def test_a_bundle_is_not_quick_for_coming_after_one_that_was_not_known() -> None:
    pace = paced(0.00001, batches=7)
    pace.took("two", 1, 0.00001)
    assert not pace.is_quick(1)
