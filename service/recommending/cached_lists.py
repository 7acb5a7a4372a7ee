"""First pages of users' lists, cached where nothing but the bundle and the store of feedback decide them.

As the query state of such a user (`query_states`), so the list: it is computed again once the store holds
something else of the user, or withholds other movies. Movies that were posted have a recommender of their
own, and with it a cache of its own.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

from service.live.live_users import LiveView
from service.recommending.candidate_search import LEVELS
from service.recommending.queries import Query, Recommendation, RecommendQuery
from service.recommending.tasks import ListTask

_DEEPEST = LEVELS[0][0]


class _Entry(NamedTuple):
    """A list of a user from its first place on.

    Attributes:
        user_version: Of what the store held of the user; 0 for nothing.
        withheld_version: Of the movies that were withheld from all.
        depth: As many places were asked for; there may be fewer movies.
        recommendation: The list.
    """

    user_version: int
    withheld_version: int
    depth: int
    recommendation: Recommendation


class CachedLists:
    """Lists by user id; safe to be used by several threads.

    Args:
        size: Most lists cached; past it the oldest entry is evicted.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: dict[str, _Entry] = {}
        self._changing = threading.Lock()

    def find(self, query: Query, live: LiveView) -> Recommendation | None:
        """The answer to a query, where it is cached.

        Args:
            query: Any.
            live: What the store of feedback holds by now.
        """
        if not isinstance(query, RecommendQuery) or query.user_id is None:
            return None
        entry = self._entries.get(query.user_id)
        if (
            entry is None
            or entry.depth < query.depth
            or entry.withheld_version != live.withheld.version
            or entry.user_version != _user_version(query.user_id, live)
            or not is_plain(query)
        ):
            return None
        if query.offset == 0 and query.depth == entry.depth:
            return entry.recommendation
        return _page(entry.recommendation, query.offset, query.depth)

    def add(self, task: ListTask, recommendation: Recommendation, live: LiveView) -> None:
        """Cache the answer to a query, where it will be the answer to the next such query too."""
        query = task.query
        user_id = query.user_id
        if user_id is None or not self._size or query.offset or not task.user.is_known or not is_plain(query):
            return
        version, whole = _user_version(user_id, live), _page(recommendation, 0, query.depth)
        with self._changing:
            self._entries[user_id] = _Entry(version, live.withheld.version, query.depth, whole)
            if len(self._entries) > self._size:
                del self._entries[next(iter(self._entries))]


def is_plain(query: RecommendQuery) -> bool:
    """Whether nothing but the user decides the list, and it ends within what one search finds."""
    return not (
        query.history
        or query.timestamp is not None
        or query.depth > _DEEPEST
        or not query.exclude_seen
        or query.exclude
        or query.filter is not None
        or query.rank_by is not None
        or query.diversity
        or query.explain
        or query.explore
    )


def _user_version(user_id: str, live: LiveView) -> int:
    user = live.users.get(user_id)
    return 0 if user is None else user.version


def _page(whole: Recommendation, offset: int, depth: int) -> Recommendation:
    """A part of a list; copies, for a view would keep the arrays of a whole batch alive."""
    part = slice(offset, depth)
    return Recommendation(
        source=whole.source,
        offset=offset,
        rows=whole.rows[part].copy(),
        scores=whole.scores[part].copy(),
        rank_scores=whole.rank_scores[part].copy(),
        predicted_ratings=whole.predicted_ratings[part].copy(),
        is_reordered=whole.is_reordered,
    )
