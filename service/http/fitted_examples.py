"""Examples of the OpenAPI document with ids of the bundle that is served: each can be sent as it is.

As the code has them they are of MovieLens. Examples that write are of a user and a movie of their own: to
send them must neither forget a user nor withdraw a movie.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

USER, MOVIES = "42", ("50", "181", "97")
"""A user who is known, and movies, in the examples of the code."""
NEW_USER, NEW_MOVIE = "ana", "a-new-movie"
"""For examples that write."""

_WRITING = ("put", "delete")
# Of parameters that are not required: what makes a first request one that shows something.
_FIRST = {
    "/recommend": {"user_id": USER},
    "/predict_rating": {"user_id": USER, "movie_id": MOVIES[2]},
    "/movies": {"query": "star"},
}


@dataclass(frozen=True)
class ExampleValues:
    """What a bundle has in place of MovieLens's.

    Attributes:
        user_id: Of a user of the training data.
        movie_ids: Of up to three movies.
        stars: The most there are; None without ratings.
    """

    user_id: str
    movie_ids: tuple[str, ...]
    stars: float | None


def prefill_parameters(document: Mapping[str, Any]) -> None:
    """Give the parameters that a first request needs an example each, which `/docs` shows filled in."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                name = parameter["name"]
                if parameter["in"] == "path":
                    parameter["example"] = _of_path(path, method, name)
                elif method == "get" and name in _FIRST.get(path, ()):
                    parameter["example"] = _FIRST[path][name]


def _of_path(path: str, method: str, name: str) -> str:
    if name == "user_id":
        return NEW_USER if method in _WRITING else USER
    return NEW_MOVIE if method in _WRITING and path.startswith("/movies/") else MOVIES[0]


def fitted(document: Mapping[str, Any], values: ExampleValues) -> dict[str, Any]:
    """A copy of the document whose examples of requests have the values of a bundle."""
    copied = deepcopy(dict(document))
    ids = {USER: values.user_id} | {
        example: values.movie_ids[place % len(values.movie_ids)] for place, example in enumerate(MOVIES)
    }
    for operations in copied["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if "example" in parameter:
                    parameter["example"] = ids.get(parameter["example"], parameter["example"])
    for schema in copied["components"]["schemas"].values():
        if "examples" in schema:
            schema["examples"] = _fit(schema["examples"], ids, values.stars)
    return copied


def _fit(example: Any, ids: Mapping[str, str], stars: float | None) -> Any:
    if isinstance(example, list):
        return [_fit(each, ids, stars) for each in example]
    if isinstance(example, dict):
        return {
            name: stars if name in {"rating", "value"} else _fit(each, ids, stars)
            for name, each in example.items()
        }
    return ids.get(example, example) if isinstance(example, str) else example
