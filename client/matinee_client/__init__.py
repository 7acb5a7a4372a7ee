"""Python client of a Matinee service, sync and async, with typed answers and errors.

    with MatineeClient("http://127.0.0.1:8000") as client:
        for item in client.recommend(user_id="42", k=5).items:
            print(item.title, item.predicted_rating)

`matinee_client.answers` has the types of answers, `matinee_client.requests` those of requests.
"""

from matinee_client.answer_errors import AnswerError, InvalidRequest, NotAllowed, NotFound, Unavailable
from matinee_client.awaiting import AsyncMatineeClient
from matinee_client.blocking import MatineeClient

__all__ = [
    "AnswerError",
    "AsyncMatineeClient",
    "InvalidRequest",
    "MatineeClient",
    "NotAllowed",
    "NotFound",
    "Unavailable",
]
