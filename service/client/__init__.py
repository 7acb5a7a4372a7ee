"""Python client of the service, sync and async, with typed answers and errors.

    with MatineeClient("http://127.0.0.1:8000") as client:
        for item in client.recommend(user_id="42", k=5).items:
            print(item.title, item.predicted_rating)

Needs only `requirements/client.txt`.
"""

from service.client.answer_errors import AnswerError, InvalidRequest, NotAllowed, NotFound, Unavailable
from service.client.awaiting import AsyncMatineeClient
from service.client.blocking import MatineeClient

__all__ = [
    "AnswerError",
    "AsyncMatineeClient",
    "InvalidRequest",
    "MatineeClient",
    "NotAllowed",
    "NotFound",
    "Unavailable",
]
