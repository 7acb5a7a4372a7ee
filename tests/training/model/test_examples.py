from dataclasses import replace

import numpy as np
import pytest
from ten_users import BOTH, FORWARD, INWARD, length_of, ten_users

from service.bundle import NO_TIMESTAMP
from training.config import TrainingConfig
from training.model.examples import Example, ExampleSampler
from training.model.histories import Histories


@pytest.fixture(scope="module")
def histories() -> Histories:
    return ten_users()


def examples(histories: Histories, config: TrainingConfig, each: int = 60) -> list[tuple[int, Example]]:
    """(user row, example), several of every user."""
    sampler = ExampleSampler(histories, config)
    return [(user, sampler.draw(user)) for user in range(len(histories)) for _ in range(each)]


@pytest.mark.parametrize("config", [FORWARD, INWARD, BOTH])
def test_what_is_read_is_never_what_is_predicted(histories: Histories, config: TrainingConfig) -> None:
    for user, example in examples(histories, config):
        read, retrieved, rated = (
            set(part.tolist()) for part in (example.read, example.retrieved, example.rated)
        )
        assert not read & (retrieved | rated)
        assert retrieved <= rated
        assert retrieved
        assert read | rated <= set(range(length_of(histories, user)))
        for part in (example.read, example.retrieved):
            assert part.tolist() == sorted(set(part.tolist()))
        assert len(rated) == len(example.rated)


def test_looking_forward_the_past_is_read_and_the_future_predicted(histories: Histories) -> None:
    for user, example in examples(histories, FORWARD):
        length = length_of(histories, user)
        cut = int(example.retrieved[0])
        assert example.retrieved.tolist() == list(range(cut, length))
        assert all(position < cut for position in example.read)
        if length > 1:
            assert 1 <= cut <= length - 1
            assert round(0.3 * length) - 1 <= cut <= round(0.95 * length) + 1


def test_what_is_dropped_from_the_past_is_rated_but_not_retrieved(histories: Histories) -> None:
    dropped = 0
    for user, example in examples(histories, FORWARD):
        assert sorted([*example.read, *example.rated]) == list(range(length_of(histories, user)))
        dropped += len(example.rated) - len(example.retrieved)
    assert dropped > 0
    for _, example in examples(histories, replace(FORWARD, history_dropout=0.0)):
        assert example.rated.tolist() == example.retrieved.tolist()


def test_some_read_only_the_last_movies_as_cold_start_users_send_them(
    histories: Histories,
) -> None:
    user = int(np.argmax(np.diff(histories.offsets)))
    config = replace(FORWARD, short_share=0.25, short_history=3, history_dropout=0)
    sampler = ExampleSampler(histories, config)
    examples = [sampler.draw(user) for _ in range(400)]
    whole = [example for example in examples if len(example.read) > 3]
    lengths = [len(example.read) for example in examples if len(example.read) <= 3]
    assert 60 <= len(lengths) <= 140  # a quarter, give or take four standard deviations
    assert set(lengths) == {1, 2, 3}
    for example in examples:
        assert example.read[-1] + 1 == example.retrieved[0]  # nothing lies between
        np.testing.assert_array_equal(np.diff(example.read), 1)
        np.testing.assert_array_equal(example.rated, example.retrieved)
    assert all(example.read[0] == 0 for example in whole)


@pytest.mark.parametrize("forward_share", [0.0, 1.0])
def test_some_read_nothing_and_predict_all_as_who_sends_nothing(
    histories: Histories, forward_share: float
) -> None:
    config = replace(
        BOTH, empty_share=0.25, forward_share=forward_share, hidden_high=0.11, history_dropout=0.0
    )
    user = int(np.argmax(np.diff(histories.offsets)))
    times = histories.timestamps[histories.rows_of(user)]
    sampler = ExampleSampler(histories, config)
    drawn = [sampler.draw(user) for _ in range(400)]
    empty = [example for example in drawn if not len(example.read)]
    assert 60 <= len(empty) <= 140  # a quarter, give or take four standard deviations
    for example in empty:
        assert example.retrieved.tolist() == example.rated.tolist() == list(range(len(times)))
        assert example.moment == times[0]
    # As often without a time as other examples.
    assert {example.timestamp for example in empty} == {int(times[0]), NO_TIMESTAMP}


def test_the_moment_is_the_time_of_the_query_or_what_it_would_be(histories: Histories) -> None:
    for config in (FORWARD, INWARD):
        for user, example in examples(histories, replace(config, time_dropout=0.5)):
            times = histories.timestamps[histories.rows_of(user)]
            if example.timestamp != NO_TIMESTAMP:
                assert example.moment == example.timestamp
            elif config is FORWARD:
                assert example.moment == times[example.retrieved[0]]
            else:
                assert example.moment in times[example.retrieved]


def test_filling_in_everything_hidden_is_retrieved_when_no_time_is_given(histories: Histories) -> None:
    for user, example in examples(histories, replace(INWARD, time_dropout=1.0)):
        assert example.timestamp == NO_TIMESTAMP
        assert example.retrieved.tolist() == example.rated.tolist()
        assert sorted([*example.read, *example.rated]) == list(range(length_of(histories, user)))


def test_filling_in_with_a_time_the_hidden_movies_nearest_to_it_are_retrieved(histories: Histories) -> None:
    config = replace(INWARD, time_window=3)
    sizes = set()
    for user, example in examples(histories, config):
        times = histories.timestamps[histories.rows_of(user)].tolist()
        anchor = times.index(example.timestamp)
        hidden = example.rated.tolist()
        sizes.add(len(example.retrieved))
        assert anchor in example.retrieved
        furthest = max(abs(position - anchor) for position in example.retrieved)
        closer = [position for position in hidden if abs(position - anchor) < furthest]
        assert set(closer) <= set(example.retrieved.tolist())
    assert sizes == {1, 2, 3}


def test_the_time_of_a_query_is_that_of_the_first_movie_to_come(histories: Histories) -> None:
    for user, example in examples(histories, FORWARD):
        times = histories.timestamps[histories.rows_of(user)]
        assert example.timestamp == times[example.retrieved[0]]


def test_the_time_is_left_out_as_often_as_configured(histories: Histories) -> None:
    for config in (FORWARD, INWARD):
        timeless = [
            example.timestamp == NO_TIMESTAMP
            for _, example in examples(histories, replace(config, time_dropout=0.25), each=200)
        ]
        assert np.mean(timeless) == pytest.approx(0.25, abs=0.04)


def test_of_a_single_rating_nothing_is_read(histories: Histories) -> None:
    for config in (FORWARD, INWARD):
        for user, example in examples(histories, config):
            if length_of(histories, user) == 1:
                assert example.read.tolist() == []
                assert example.retrieved.tolist() == example.rated.tolist() == [0]
