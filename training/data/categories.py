"""Several categories in one field: 'Drama|War', 'Drama, War', "['Drama', 'War']"."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.data.columns import Column, as_text
from training.data.html_entities import without_entities

_NAME_KEYS = ("name", "title", "label", "value", "genre")
# Words of at least three letters; a text has more than this many of them.
_WORD = re.compile(r"[^\W\d_]{3,}")
_SHORTEST_TEXT = 6


@dataclass(frozen=True)
class Categories:
    """Categories of the rows.

    Attributes:
        of_rows: The categories of each row, possibly none.
        kind: How they were separated, in words.
    """

    of_rows: list[tuple[str, ...]]
    kind: str


def read_categories(column: Column, *, by_comma: bool, by_space: bool = False) -> Categories:
    """Read a column of categories.

    Args:
        column: Text or lists.
        by_comma: Whether commas separate where neither '|' nor ';' do; names of people contain them.
        by_space: Whether spaces separate.
    """
    values = [
        without_entities(value).strip() if isinstance(value, str) else value for value in column.values()
    ]
    texts = [value for value in values if isinstance(value, str) and not _looks_as_list(value)]
    separator = " " if by_space else _separator(texts, by_comma=by_comma)
    of_value: dict[str, tuple[str, ...]] = {}
    of_rows = []
    num_lists = 0
    for value in values:
        if isinstance(value, str):
            if value not in of_value:
                listed = _as_list(value) if _looks_as_list(value) else None
                of_value[value] = _split(value, separator) if listed is None else _names(listed)
            num_lists += _looks_as_list(value)
            of_rows.append(of_value[value])
        else:
            num_lists += isinstance(value, list | dict)
            of_rows.append(_names(value))
    kinds = ["lists"] if num_lists else []
    if texts and any(texts):
        kinds.append(f"separated by {separator!r}" if separator else "one each")
    return Categories(of_rows, " and ".join(kinds) or "empty")


def read_feature(column: Column) -> Categories:
    """Read a column as a content feature: categories, or the words of text.

    It is text if most values are longer than a few words and most occur once.
    """
    texts = [text for text in column.texts() if text]
    words = [_WORD.findall(text.casefold()) for text in texts]
    is_long = sum(len(of_text) >= _SHORTEST_TEXT for of_text in words) > 0.5 * len(texts)
    if is_long and len(set(texts)) > 0.5 * len(texts) and not any(_looks_as_list(text) for text in texts):
        of_rows = [tuple(dict.fromkeys(_WORD.findall(text.casefold()))) for text in column.texts()]
        return Categories(of_rows, "words of text")
    return read_categories(column, by_comma=False)


def _separator(texts: Sequence[str], *, by_comma: bool) -> str:
    for separator in ("|", ";", ",") if by_comma else ("|", ";"):
        if any(separator in text for text in texts):
            return separator
    return ""


def _split(text: str, separator: str) -> tuple[str, ...]:
    parts = text.split(separator) if separator else [text]
    return tuple(dict.fromkeys(part for part in (one.strip() for one in parts) if part))


def _looks_as_list(text: str) -> bool:
    return (text.startswith("[") and text.endswith("]")) or (text.startswith("{") and text.endswith("}"))


def _as_list(text: str) -> Any:
    """Parse JSON, or what Python prints; None if it is neither."""
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    inner = text[1:-1]
    return [part.strip().strip("'\"") for part in inner.split(",")] if text.startswith("[") else None


def _names(value: object) -> tuple[str, ...]:
    """Return the texts within a list, a dictionary's keys, and the names of dictionaries in a list."""
    if value is None:
        return ()
    if isinstance(value, dict):
        name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), None)
        return (name.strip(),) if name else tuple(as_text(key) for key in value)
    if isinstance(value, list | tuple | set):
        return tuple(dict.fromkeys(name for one in value for name in _names(one) if name))
    return (as_text(value),) if as_text(value) else ()
