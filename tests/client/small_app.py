"""An app of another repository, for `test_wheel`: its types are checked strictly, then it runs."""

import sys

from matinee_client import MatineeClient, NotFound, Unavailable
from matinee_client.answers import Item, Movie
from matinee_client.requests import FeedbackRequest, SeenMovieRequest


def ratings_by_title(items: list[Item]) -> dict[str, float | None]:
    return {item.title: item.predicted_rating for item in items}


def main(url: str) -> None:
    with MatineeClient(url, timeout_seconds=5, retries=1) as client:
        found: list[Movie] = client.search_movies("twins").items
        liked: list[SeenMovieRequest] = [{"movie_id": movie.movie_id, "rating": 5} for movie in found]
        answer = client.recommend(history=liked, k=3, filter={"year_min": 1950}, rank_by="blend")
        print(answer.source, len(ratings_by_title(answer.items)))
        try:
            print(client.predict_rating(user_id="42", movie_title="Twinz (1988)").predicted_rating)
        except NotFound as error:
            print([movie.title for movie in error.suggestions][:1])
        except Unavailable as error:
            print(f"again in {error.retry_after_seconds} s")
        event: FeedbackRequest = {"user_id": "42", "movie_id": "m1", "type": "rating", "value": 5}
        print(client.post_feedback([event]).stored)


if __name__ == "__main__":
    main(sys.argv[1])
