"""The rules of the store: what wins, what a retry does, what `removed` removes."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from service.live.decisions import Key, decide
from service.live.events import Event, State

NOW = 1_000_000


def decided(
    *batches: list[Event], stored: dict[Key, State] | None = None, now: int = NOW
) -> tuple[dict[Key, State], list[str]]:
    """The states after batches that follow each other, and the verdicts of the last."""
    states, event_ids, position = dict(stored or {}), set[str](), 0
    verdicts: list[str] = []
    for batch in batches:
        changes = decide(batch, states, event_ids, position, now)
        for key, state in changes.states.items():
            if state is None:
                states.pop(key, None)
            else:
                states[key] = state
        event_ids |= changes.event_ids.keys()
        position = changes.position
        verdicts = [verdict.value for verdict in changes.verdicts]
    return states, verdicts


def rating(value: float, timestamp: int | None, movie_id: str = "m1", event_id: str | None = None) -> Event:
    return Event("ann", movie_id, "rating", value, timestamp, event_id)


def meaning(states: dict[Key, State]) -> set[tuple[object, ...]]:
    return {(*key, state.value, state.timestamp) for key, state in states.items()}


def test_the_latest_rating_wins_in_any_order() -> None:
    events = [rating(1, 10), rating(2, 20), rating(3, 30)]
    for order in permutations(events):
        states, _ = decided([*order])
        assert meaning(states) == {("ann", "m1", "rating", 3, 30)}


def test_an_older_event_is_superseded_and_the_same_one_unchanged() -> None:
    _, verdicts = decided([rating(3, 30)], [rating(3, 30), rating(2, 20), rating(4, 30), rating(4, 30)])
    assert verdicts == ["unchanged", "superseded", "stored", "unchanged"]


def test_an_event_without_a_time_comes_after_what_is_stored_even_where_that_is_ahead() -> None:
    states, verdicts = decided([rating(3, NOW + 200)], [rating(5, None)])
    assert (meaning(states), verdicts) == ({("ann", "m1", "rating", 5, NOW + 200)}, ["stored"])


def test_an_event_id_counts_once() -> None:
    click = Event("ann", "m1", "click", event_id="c1")
    _, verdicts = decided([click, click], [click, Event("ann", "m1", "click")])
    assert verdicts == ["unchanged", "stored"]
    _, verdicts = decided(
        [rating(3, None, event_id="r1")], [rating(4, None)], [rating(3, None, event_id="r1")]
    )
    assert verdicts == ["unchanged"]


def test_what_is_removed_twice_in_a_second_is_removed_also_where_it_came_back_between() -> None:
    removed = Event("ann", "m1", "removed")
    states, verdicts = decided([rating(3, None)], [removed], [rating(3, None)], [removed])
    assert ({key[2] for key in states}, verdicts) == ({"removed"}, ["stored"])
    _, verdicts = decided([rating(3, None)], [removed], [removed])
    assert verdicts == ["unchanged"]


def test_what_is_removed_does_not_come_back_by_a_retry_but_by_a_new_event() -> None:
    removed = Event("ann", "m1", "removed")
    states, verdicts = decided([rating(3, 10), Event("ann", "m1", "hide")], [removed], [rating(3, 10)])
    assert ({key[2] for key in states}, verdicts) == ({"removed"}, ["superseded"])
    states, verdicts = decided([rating(3, 10)], [removed], [rating(4, None)])
    assert ({key[2] for key in states}, verdicts) == ({"removed", "rating"}, ["stored"])


def test_types_and_movies_do_not_touch_each_other() -> None:
    states, _ = decided([rating(3, 10), rating(4, 10, "m2"), Event("ann", "m1", "watch", None, 5)])
    assert len(states) == 3


EVENTS = st.lists(
    st.builds(
        lambda movie_id, type_, timestamp: Event(
            "ann", movie_id, type_, float(timestamp) if type_ == "rating" else None, timestamp
        ),
        st.sampled_from(["m1", "m2"]),
        st.sampled_from(["rating", "watch", "hide", "removed"]),
        st.integers(0, 1_000),
    ),
    unique_by=lambda event: (event.movie_id, event.timestamp),
    max_size=12,
)


@given(EVENTS, st.data())
def test_a_storm_of_retries_ends_as_each_event_sent_once(events: list[Event], data: st.DataObject) -> None:
    once, _ = decided(events)
    storm = data.draw(
        st.permutations([event for event in events for _ in range(data.draw(st.integers(1, 3)))])
    )
    cut = data.draw(st.integers(0, len(storm)))
    stormed, _ = decided([*storm[:cut]], [*storm[cut:]])
    assert meaning(stormed) == meaning(once)
