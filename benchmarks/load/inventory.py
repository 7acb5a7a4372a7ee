"""What a service can be asked about: its own users, movies and genres."""

from __future__ import annotations

from dataclasses import dataclass

from service.client import MatineeClient

_USERS, _MOVIES, _PAGE = 1_000, 500, 100


@dataclass(frozen=True)
class Inventory:
    """Ids to ask with.

    Attributes:
        bundle_id: The bundle that was live.
        user_ids: All users, or as many from all over the list as `_USERS` says.
        movie_ids: The most rated ones, most rated first.
        genres: All.
        years: Of those movies, without repetition.
    """

    bundle_id: str
    user_ids: tuple[str, ...]
    movie_ids: tuple[str, ...]
    genres: tuple[str, ...]
    years: tuple[int, ...]

    @classmethod
    def of(cls, client: MatineeClient) -> Inventory:
        """Asks a service.

        Raises:
            AnswerError, httpx.TransportError: It has no bundle, or does not answer.
        """
        first = client.users(limit=_PAGE)
        pages = min(-(-first.total // _PAGE), _USERS // _PAGE)
        offsets = [page * (first.total - _PAGE) // (pages - 1) for page in range(1, pages)]
        users = [
            *first.items,
            *(user for at in offsets for user in client.users(limit=_PAGE, offset=at).items),
        ]
        movies = client.popular(k=_MOVIES).items
        return cls(
            first.bundle_id,
            tuple(dict.fromkeys(user.user_id for user in users)),
            tuple(movie.movie_id for movie in movies),
            tuple(genre.genre for genre in client.genres().items),
            tuple(sorted({movie.year for movie in movies if movie.year is not None})),
        )
