"""Decide what events change, given what is stored: the rules of the store, without any database.

State is keyed by user, movie and type. The latest (timestamp, position) wins, so a retry, or events in
another
order, end in the same state. An event without a timestamp takes the present one, or that of what it replaces
where
that is later: the clocks of two replicas may differ, and what was posted last must be what is read.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from service.live.events import APPENDED, MASKED, REMOVED, Event, Outcome, State, Verdict

Key = tuple[str, str, str]
"""User, movie, type."""


@dataclass
class Changes:
    """What a group of events changes.

    Attributes:
        verdicts: Of each event, in order.
        states: New states by key; None for one that is deleted.
        appended: Positions and events of appended types, their times filled in.
        event_ids: Ids that count from now on, with their times.
        versions: By user the position of the last change of states.
        position: Of the store afterwards.
    """

    position: int
    verdicts: list[Verdict] = field(default_factory=list)
    states: dict[Key, State | None] = field(default_factory=dict)
    appended: list[tuple[int, Event]] = field(default_factory=list)
    event_ids: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.states or self.appended or self.event_ids)

    def outcome(self, part: slice) -> Outcome:
        """Of some of the events."""
        verdicts = self.verdicts[part]
        stored, unchanged, superseded = (verdicts.count(each) for each in Verdict)
        return Outcome(stored, unchanged, superseded, self.position, tuple(verdicts))


def decide(
    events: Sequence[Event],
    stored: Mapping[Key, State],
    known_event_ids: Container[str],
    position: int,
    now: int,
) -> Changes:
    """What events change, one after another.

    Args:
        events: In the order in which they arrived.
        stored: States of all their users and movies.
        known_event_ids: Those of their ids that were stored before.
        position: Of the store so far.
        now: Unix seconds.
    """
    changes = Changes(position)
    states = dict(stored)
    for event in events:
        if event.event_id is not None and (
            event.event_id in known_event_ids or event.event_id in changes.event_ids
        ):
            changes.verdicts.append(Verdict.UNCHANGED)
            continue
        verdict = (
            _append(event, changes, now) if event.type in APPENDED else _put(event, states, changes, now)
        )
        if event.event_id is not None:
            changes.event_ids[event.event_id] = now
        changes.verdicts.append(verdict)
    return changes


def _append(event: Event, changes: Changes, now: int) -> Verdict:
    changes.position += 1
    if event.timestamp is None:
        event = event._replace(timestamp=now)
    changes.appended.append((changes.position, event))
    return Verdict.STORED


def _put(event: Event, states: dict[Key, State], changes: Changes, now: int) -> Verdict:
    user_id, movie_id, type_ = event.user_id, event.movie_id, event.type
    key = (user_id, movie_id, type_)
    former = states.get(key)
    removed = states.get((user_id, movie_id, REMOVED))
    timestamp = event.timestamp
    has_more_to_remove = False
    if timestamp is None:
        timestamp = now
        if type_ == REMOVED:  # it removes everything that is there, also what came in the second of the last
            rows = [row for each in MASKED if (row := states.get((user_id, movie_id, each)))]
            timestamp = max([now, *(row.timestamp for row in rows)])
            has_more_to_remove = bool(rows)
        for row in (former, removed):
            if row is not None:
                timestamp = max(timestamp, row.timestamp)
    elif removed is not None and type_ != REMOVED and timestamp < removed.timestamp:
        return Verdict.SUPERSEDED
    if former is not None:
        if timestamp < former.timestamp:
            return Verdict.SUPERSEDED
        if timestamp == former.timestamp and event.value == former.value and not has_more_to_remove:
            return Verdict.UNCHANGED
    changes.position += 1
    changes.versions[user_id] = changes.position
    states[key] = changes.states[key] = State(
        user_id, movie_id, type_, event.value, timestamp, changes.position
    )
    if type_ == REMOVED:
        for each in MASKED:
            masked = states.get((user_id, movie_id, each))
            if masked is not None and masked.timestamp <= timestamp:
                del states[user_id, movie_id, each]
                changes.states[user_id, movie_id, each] = None
    return Verdict.STORED
