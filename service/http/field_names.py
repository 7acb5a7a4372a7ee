"""Say which field was meant where an unknown one was sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

UNKNOWN_FIELD = "extra_forbidden"
"""Pydantic's type of the error."""

_LEAST_LIKENESS = 0.6
_MOST_NAMED = 20
# What others call it, where no letters of it are alike.
_CALLED = {
    "k": ("limit", "n", "top", "topk", "topn", "count", "size", "num", "numitems", "pagesize", "maxresults"),
    "offset": ("skip", "start", "from"),
    "movie_id": ("id", "item", "itemid", "film", "filmid"),
    "movie_title": ("title", "name"),
    "movie_ids": ("ids", "itemids", "items", "candidates"),
    "user_id": ("user", "customer", "customerid", "member"),
    "history": ("ratings", "seen", "watched", "interactions"),
    "items": ("requests", "queries", "pairs"),
    "rating": ("stars", "value", "score"),
    "value": ("stars", "rating", "score"),
    "exclude": ("without", "blacklist"),
    "genres_any": ("genre", "genres", "category"),
    "query": ("q", "search", "text"),
    "timestamp": ("time", "ts", "at"),
    "rank_by": ("sort", "sortby", "orderby", "order"),
}


def name_fields(
    errors: Iterable[Mapping[str, Any]], model: type[BaseModel] | None, skip: int = 0
) -> list[dict[str, Any]]:
    """Pydantic's errors, those about unknown fields with the field that was probably meant.

    Args:
        errors: As pydantic lists them.
        model: What was validated; None where it has no fields.
        skip: How many parts of a location stand before those of the model, such as `body`.
    """
    named = []
    for error in errors:
        if error["type"] == UNKNOWN_FIELD:
            *path, name = error["loc"][skip:]
            fields = () if model is None else _fields_at(model, path)
            error = {**error, "msg": _meant(str(name), [*fields])}  # noqa: PLW2901 the next one is another
        named.append(dict(error))
    return named


def _meant(name: str, fields: Sequence[str]) -> str:
    if not fields:
        return "unknown; expected none here"
    key = _plain(name)
    by_key = {_plain(field): field for field in fields}
    for field, others in _CALLED.items():
        if field in fields:
            by_key |= {other: field for other in others if other not in by_key}
    close = [key] if key in by_key else get_close_matches(key, by_key, n=1, cutoff=_LEAST_LIKENESS)
    if close:
        return f"unknown; did you mean `{by_key[close[0]]}`?"
    listed = ", ".join(fields[:_MOST_NAMED])
    return f"unknown; expected one of {listed}{', ...' if len(fields) > _MOST_NAMED else ''}"


def _plain(name: str) -> str:
    """What is left of `userId`, `user-id` and `user_id`: `userid`; of a name of any length its beginning."""
    return "".join(each for each in name[:50].casefold() if each.isalnum())


def _fields_at(model: type[BaseModel], path: Sequence[str | int]) -> Iterator[str]:
    """Fields of the model at a place within another one, without those that have a new name."""
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            inner = next(_models_in(model.model_fields[part].annotation), None)
            if inner is None:
                return
            model = inner
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if not (isinstance(extra, dict) and extra.get("deprecated")):
            yield name


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models_in(each)
