"""Users, movies and genres of a service, for generating requests."""

from __future__ import annotations

from dataclasses import dataclass

from matinee_client import MatineeClient

_USERS, _MOVIES, _PAGE = 1_000, 500, 100


@dataclass(frozen=True)
class Inventory:
    """Ids for generating requests.

    Attributes:
        bundle_id: The live bundle.
        user_ids: All users, or `_USERS` of them, spread over the list.
        movie_ids: The most rated movies, most rated first.
        genres: All genres.
        years: Distinct years of these movies.
    """

    bundle_id: str
    user_ids: tuple[str, ...]
    movie_ids: tuple[str, ...]
    genres: tuple[str, ...]
    years: tuple[int, ...]

    @classmethod
    def of(cls, client: MatineeClient) -> Inventory:
        """Read the inventory from a service.

        Raises:
            AnswerError, httpx.TransportError: The service has no bundle, or does not answer.
        """
        first = client.users(k=_PAGE)
        pages = min(-(-first.total // _PAGE), _USERS // _PAGE)
        offsets = [page * (first.total - _PAGE) // (pages - 1) for page in range(1, pages)]
        users = [
            *first.items,
            *(user for at in offsets for user in client.users(k=_PAGE, offset=at).items),
        ]
        movies = client.popular(k=_MOVIES).items
        return cls(
            first.bundle_id,
            tuple(dict.fromkeys(user.user_id for user in users)),
            tuple(movie.movie_id for movie in movies),
            tuple(genre.genre for genre in client.genres().items),
            tuple(sorted({movie.year for movie in movies if movie.year is not None})),
        )
