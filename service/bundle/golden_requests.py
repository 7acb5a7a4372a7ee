"""`golden.json`: requests with exact answers of training, replayed before a bundle goes live."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import Any, TypedDict, cast, get_args, get_origin, get_type_hints, is_typeddict

from service.bundle.json_files import read_json, write_json
from service.errors import BundleInconsistent

GOLDEN_FILE = "golden.json"
FILES = (GOLDEN_FILE,)


class HistoryEntry(TypedDict):
    """One movie of a history sent with a request; `rating` is null where there was none."""

    movie_id: str
    rating: float | None


class GoldenItem(TypedDict):
    """One recommended movie of a golden answer; `predicted_rating` is null in a bundle without ratings."""

    movie_id: str
    score: float
    predicted_rating: float | None


class GoldenRecommendation(TypedDict):
    """A request to recommend and its exact answer."""

    user_id: str | None
    history: list[HistoryEntry]
    timestamp: int | None
    k: int
    exclude_seen: bool
    source: str
    items: list[GoldenItem]


class GoldenRating(TypedDict):
    """A request to predict one rating and its answer in stars."""

    user_id: str | None
    history: list[HistoryEntry]
    timestamp: int | None
    movie_id: str
    predicted_rating: float


class GoldenRequests(TypedDict):
    """The whole file; `recommend` is not empty, and `predict_rating` only in a bundle without ratings."""

    recommend: list[GoldenRecommendation]
    predict_rating: list[GoldenRating]


def write_golden(directory: Path, requests: GoldenRequests) -> None:
    """Write the file.

    Raises:
        OSError: It cannot be written.
    """
    write_json(directory / GOLDEN_FILE, requests)


def read_golden(directory: Path) -> GoldenRequests:
    """Read the file of a bundle.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleInconsistent: It is not `GoldenRequests`, or has no request to recommend.
    """
    path = directory / GOLDEN_FILE
    document = read_json(path)
    if misfit := _misfit(document, GoldenRequests, ""):
        raise BundleInconsistent(f"{path}{misfit}; export again")
    requests = cast("GoldenRequests", document)
    if not requests["recommend"]:
        raise BundleInconsistent(f"{path}: expected requests to recommend, got none; export again")
    return requests


def _misfit(value: Any, kind: Any, where: str) -> str | None:
    """The first place at which a JSON value is not of a type of this module, None where it fits."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        if not isinstance(value, dict) or value.keys() != hints.keys():
            return f"{where}: expected an object with {list(hints)}, got {value!r:.80}"
        parts = [(value[name], hint, f"{where}.{name}") for name, hint in hints.items()]
    elif get_origin(kind) is list:
        if not isinstance(value, list):
            return f"{where}: expected a list, got {value!r:.80}"
        parts = [(each, *get_args(kind), f"{where}.{place}") for place, each in enumerate(value)]
    else:
        kinds = get_args(kind) if get_origin(kind) is UnionType else (kind,)
        allowed = {*kinds, int} if float in kinds else {*kinds}  # JSON does not distinguish 1 from 1.0
        fits = type(value) in allowed
        return None if fits else f"{where}: expected {getattr(kind, '__name__', kind)}, got {value!r:.80}"
    return next(filter(None, (_misfit(*part) for part in parts)), None)
