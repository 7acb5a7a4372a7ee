"""What the store holds of a user, as recommendations need it: plain values, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from service.live.events import REMOVED, State
from service.live.posted_movies import NO_MOVIES_POSTED, PostedMovies
from service.live.recommendation_ids import RecommendationIds


class LiveMovie(NamedTuple):
    """What a user did with one movie.

    Attributes:
        movie_id: Which, known to the bundle or not.
        stars: The rating; None without.
        rated_at: Unix seconds of the rating; None without.
        seen_at: Unix seconds of the last rating or watch; None without.
        removed_at: Unix seconds up to which whatever is known of user and movie was removed; None for never.
        is_hidden: Whether it is kept out of the user's lists.
    """

    movie_id: str
    stars: float | None
    rated_at: int | None
    seen_at: int | None
    removed_at: int | None
    is_hidden: bool


@dataclass(frozen=True)
class LiveUser:
    """What the store holds of one user.

    Attributes:
        version: Rises with each change; what was computed of a version holds as long as it is this.
        movies: In the order in which they were last seen, those never seen first.
        forgotten_at: Position of the store at which the user was forgotten; None for never.
    """

    version: int
    movies: tuple[LiveMovie, ...] = ()
    forgotten_at: int | None = None


@dataclass(frozen=True)
class Withheld:
    """Movies that are withheld from all users.

    Attributes:
        version: Position of the last change.
        movie_ids: Known to the bundle or not.
    """

    version: int = 0
    movie_ids: frozenset[str] = frozenset()


NOTHING_WITHHELD = Withheld()


@dataclass(frozen=True)
class LiveView:
    """The users of one batch, at one moment.

    Attributes:
        users: Those of whom the store holds anything.
        is_live: False where the store could not be read.
        withheld: Movies that are not available.
        posted: Movies that apps described.
        recommendation_ids: Makes ids of answers; None where no store was read yet.
    """

    users: Mapping[str, LiveUser] = field(default_factory=dict)
    is_live: bool = True
    withheld: Withheld = NOTHING_WITHHELD
    posted: PostedMovies = NO_MOVIES_POSTED
    recommendation_ids: RecommendationIds | None = None


NO_STORE = LiveView()


def live_movies(states: Iterable[State]) -> tuple[LiveMovie, ...]:
    """What a user did, by movie.

    Args:
        states: Of one user, in any order.
    """
    by_movie: dict[str, dict[str, State]] = {}
    for state in states:
        by_movie.setdefault(state.movie_id, {})[state.type] = state
    movies = sorted(
        ((_last_seen(each), movie_id, each) for movie_id, each in by_movie.items()),
        key=lambda each: each[:2],
    )
    return tuple(_live_movie(movie_id, each) for _, movie_id, each in movies)


def _last_seen(states: Mapping[str, State]) -> tuple[int, int]:
    """Time and position."""
    return max(((each.timestamp, each.position) for each in _views(states)), default=(-1, -1))


def _views(states: Mapping[str, State]) -> list[State]:
    return [states[type_] for type_ in ("rating", "watch") if type_ in states]


def _live_movie(movie_id: str, states: Mapping[str, State]) -> LiveMovie:
    rating, hide, removed = (states.get(type_) for type_ in ("rating", "hide", REMOVED))
    return LiveMovie(
        movie_id=movie_id,
        stars=None if rating is None else rating.value,
        rated_at=None if rating is None else rating.timestamp,
        seen_at=max((each.timestamp for each in _views(states)), default=None),
        removed_at=None if removed is None else removed.timestamp,
        is_hidden=hide is not None and hide.value != 0,
    )
