"""JSON as columns: an object in each line, or one array of objects."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.json

from training.data.columns import Column, as_text
from training.data.problems import MOST_LISTED, Problems
from training.errors import DataError

_SAMPLE_ROWS = 1_000
_BLOCK_BYTES = 1 << 24
_ID_KEYS = {"id", "_id", "ids", "uuid"}
_VALUE_KEYS = {"id", "_id", "value"}


class JsonText:
    """A file of JSON objects, whose keys are the columns; keys of objects within are 'outer.inner'.

    Args:
        label: The file's name for messages.
        content: Its text in UTF-8; its beginning, if it is only to be recognised.
        encoding: What it was encoded in.
    """

    is_named = True

    def __init__(self, label: str, content: bytes, encoding: str) -> None:
        self.label = label
        self._content = content
        self._encoding = encoding
        self._is_array = content[:64].lstrip().startswith(b"[")
        # Dumps of Python's, such as the older ones of Amazon's reviews: {'asin': u'B0'}.
        self._parse: Callable[[str], Any] = json.loads
        if not self._is_array and _fails(json.loads, first := _first_line(content)):
            self._parse = ast.literal_eval if not _fails(ast.literal_eval, first) else json.loads
        sampled = [one for _, one in islice(self._objects(), _SAMPLE_ROWS) if isinstance(one, dict)]
        objects = [_flat(one) for one in sampled]
        outer = {name: isinstance(value, dict) for one in sampled for name, value in one.items() if value}
        self._plain = {name for one in sampled for name in one if not outer.get(name)}
        self.names = tuple(dict.fromkeys(name for one in objects for name in one))
        self._kinds = {name: {type(one[name]) for one in objects if name in one} for name in self.names}
        self.sample: Mapping[str, Sequence[str]] = {
            name: [as_text(one.get(name)) for one in objects] for name in self.names
        }

    @property
    def description(self) -> str:
        """Format and encoding in words."""
        kind = "one JSON array" if self._is_array else "a JSON object a line"
        return f"{kind}, {self._encoding}"

    def read(self, names: Sequence[str], problems: Problems) -> dict[str, Column]:
        """Read columns, see `TabularFile.read`."""
        table = self._parsed_by_arrow(names)
        if table is not None:
            self._places = None
            return {name: Column(name, table[name]) for name in names}
        return self._parsed_by_line(names, problems)

    def places(self, rows: Sequence[int]) -> list[str]:
        """Return the lines of rows that were read; in an array, their numbers."""
        if self._places is None:
            full = (line for line, text in enumerate(self._lines(), start=1) if not text.isspace())
            self._places = list(islice(full, max(rows, default=0) + 1))
        word = "object" if self._is_array else "line"
        return [f"{word} {self._places[row]}" for row in rows]

    _places: list[int] | None = None

    def _parsed_by_arrow(self, names: Sequence[str]) -> pa.Table | None:
        """Parse quickly what is plain: numbers and text, nothing within; None where it is not."""
        types = {name: _arrow_type(self._kinds[name]) if name in self._plain else None for name in names}
        if self._is_array or self._parse is not json.loads or not all(types.values()):
            return None
        try:
            return pyarrow.json.read_json(
                pa.BufferReader(self._content),
                read_options=pyarrow.json.ReadOptions(block_size=_BLOCK_BYTES),
                parse_options=pyarrow.json.ParseOptions(
                    explicit_schema=pa.schema(types), unexpected_field_behavior="ignore"
                ),
            )
        except pa.ArrowInvalid:
            return None

    def _parsed_by_line(self, names: Sequence[str], problems: Problems) -> dict[str, Column]:
        values: dict[str, list[str | None]] = {name: [] for name in names}
        broken: list[tuple[int, object]] = []
        num_broken = 0
        self._places = []
        for place, one in self._objects():
            if not isinstance(one, dict):
                num_broken += 1
                broken += [(place, one)] if len(broken) < MOST_LISTED else []
                continue
            self._places.append(place)
            flat = _flat(one)
            for name in names:
                value = flat.get(name)
                values[name].append(None if value is None else as_text(value))
        problems.add_broken(num_broken, lambda: [self._message(place, got) for place, got in broken])
        return {name: Column(name, pa.chunked_array([values[name]], pa.string())) for name in names}

    def _message(self, place: int, got: object) -> str:
        word = "object" if self._is_array else "line"
        shown = str(got)[:60]
        return f"{self.label} {word} {place}: expected a JSON object, got {shown!r}; correct it or remove it"

    def _objects(self) -> Iterator[tuple[int, Any]]:
        """Iterate over objects with their lines; a line that is none as its text."""
        if self._is_array:
            try:
                yield from enumerate(json.loads(self._content), start=1)
            except ValueError as error:
                raise DataError(
                    f"{self.label}: expected a JSON array, got: {error}; export it again"
                ) from None
            return
        for line, text in enumerate(self._lines(), start=1):
            if text.isspace():
                continue
            try:
                yield line, self._parse(text)
            except (ValueError, SyntaxError, RecursionError):
                yield line, text.strip()

    def _lines(self) -> Iterable[str]:
        return io.TextIOWrapper(io.BytesIO(self._content), encoding="utf-8", errors="replace")


def is_json(content: bytes) -> bool:
    """Whether text is JSON, by its first characters."""
    start = content[:4096].lstrip()
    return start.startswith(b"{") or (start.startswith(b"[") and start[1:].lstrip().startswith(b"{"))


def _flat(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's values by key, those of objects within it by 'outer.inner' too.

    What stands for one value is that: {"$oid": "65a0"}, as MongoDB writes, is '65a0'. An object that has ids
    is no value of its own.
    """
    flat: dict[str, Any] = {}
    for name, outer in one.items():
        value = _unwrapped(outer)
        if isinstance(value, dict) and value and all(isinstance(inner, str) for inner in value):
            within = _flat(value)
            flat |= {f"{name}.{inner}": of_inner for inner, of_inner in within.items()}
            if name.casefold() in _ID_KEYS or any(inner.casefold() in _ID_KEYS for inner in value):
                continue
        flat[name] = value
    return flat


def _unwrapped(value: Any) -> Any:
    while isinstance(value, dict) and len(value) == 1:
        ((key, within),) = value.items()
        if not (isinstance(key, str) and (key.startswith("$") or key.casefold() in _VALUE_KEYS)):
            break
        value = within
    return value


def _first_line(content: bytes) -> str:
    return content.lstrip()[:_BLOCK_BYTES].split(b"\n", 1)[0].decode("utf-8", "replace")


def _fails(parse: Callable[[str], Any], text: str) -> bool:
    try:
        return not isinstance(parse(text), dict)
    except (ValueError, SyntaxError, RecursionError):
        return True


def _arrow_type(kinds: set[type]) -> Any:
    kinds = kinds - {type(None)}
    if kinds <= {str}:
        return pa.string()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds <= {int, float} else None
