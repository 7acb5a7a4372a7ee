"""Requests and answers in the documentation: parse, send, compare, and update them.

An example is a block of `console` whose first line begins with `$ curl` and whose answer is JSON. Where the
answer is long, "…" stands for the rest: as a key for other keys, as a value for any value, at the end of a
list for more items.

Run as a program it updates the pages with the answers of the live bundle of MATINEE_ARTIFACTS.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from service_client import Ask, asking
from service_process import REPOSITORY

from service.app import create_app
from service.settings import Settings

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
REST = "…"
WIDTH = 110

_BLOCK = re.compile(r"```console\n(\$ curl .*?)```\n", re.DOTALL)
_BASE = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Example:
    """A documented request and its answer."""

    command: str
    method: str
    target: str
    headers: dict[str, str]
    body: str | None
    answer: Any

    def ask(self, ask: Ask) -> tuple[int, Any]:
        """Send the request; return status and JSON of the answer."""
        answer = ask(self.method, self.target, headers=self.headers, content=self.body)
        return answer.status_code, answer.json()

    @property
    def status(self) -> int:
        """The documented status, which problem details contain."""
        return int(self.answer["status"]) if "type" in self.answer else 200


def examples_of(page: str) -> Iterator[Example]:
    """Iterate over the examples of a page."""
    for block in _BLOCK.findall(page):
        yield _read(block)


def differences(documented: Any, answered: Any, where: str = "answer") -> list[str]:
    """List differences of two answers in keys, types, and whether lists are empty."""
    if documented == REST or documented is None or answered is None:
        return []
    if isinstance(documented, dict) and isinstance(answered, dict):
        missing = documented.keys() - answered.keys() - {REST}
        surplus = set() if REST in documented else answered.keys() - documented.keys()
        found = [f"{where}: {sorted(missing)} not answered, {sorted(surplus)} not documented"]
        shared = documented.keys() & answered.keys()
        nested = [differences(documented[key], answered[key], f"{where}.{key}") for key in sorted(shared)]
        return (found if missing or surplus else []) + [each for several in nested for each in several]
    if isinstance(documented, list) and isinstance(answered, list):
        if bool(documented) != bool(answered):
            return [f"{where}: {len(documented)} documented, {len(answered)} answered"]
        pairs = zip(documented, answered, strict=False)
        return [each for at, pair in enumerate(pairs) for each in differences(*pair, f"{where}.{at}")]
    numbers = isinstance(documented, int | float) and isinstance(answered, int | float)
    if type(documented) is not type(answered) and not numbers:
        return [f"{where}: {documented!r} documented, {answered!r} answered"]
    return []


def rewritten(page: str, ask: Ask) -> str:
    """Return a page with the present answers of a service."""

    def answer(match: re.Match[str]) -> str:
        example = _read(match[1])
        _, answered = example.ask(ask)
        return f"```console\n{example.command}\n{_written(_elided(example.answer, answered))}\n```\n"

    return _BLOCK.sub(answer, page)


def _read(block: str) -> Example:
    lines = block.removeprefix("$ ").splitlines(keepends=True)
    for length in range(1, len(lines) + 1):
        command = "".join(lines[:length])
        try:
            words = shlex.split(command)[1:]
        except ValueError:  # a quotation that continues in the next line
            continue
        break
    headers, body, target, method = {}, None, "", None
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = words.pop(0)
        elif word == "-X":
            method = words.pop(0)
        else:
            assert word.startswith(_BASE), word
            target = word.removeprefix(_BASE)
    answer = json.loads("".join(lines[length:]))
    method = method or ("GET" if body is None else "POST")
    return Example(f"$ {command.rstrip()}", method, target, headers, body, answer)


def _elided(documented: Any, answered: Any) -> Any:
    """Return an answer without the parts that the page omits."""
    if documented == REST:
        return REST
    if isinstance(documented, dict) and isinstance(answered, dict):
        keys = [key for key in answered if key in documented] if REST in documented else list(answered)
        kept = {key: _elided(documented.get(key), answered[key]) for key in keys}
        return kept | ({REST: REST} if REST in documented else {})
    if isinstance(documented, list) and isinstance(answered, list) and documented[-1:] == [REST]:
        pairs = zip(documented[:-1], answered, strict=False)
        return [*(_elided(*pair) for pair in pairs), REST]
    if isinstance(documented, list) and isinstance(answered, list) and documented:
        return [_elided(documented[min(at, len(documented) - 1)], each) for at, each in enumerate(answered)]
    return answered


def _written(value: Any, indent: int = 0) -> str:
    """Format JSON on one line; if that is too long and not a plain list element, on one line per part."""
    text = json.dumps(value, ensure_ascii=False)
    is_plain_element = indent > 1 and "{" not in text[1:]
    if len(text) + indent <= WIDTH or is_plain_element or not value or not isinstance(value, dict | list):
        return text
    between = ",\n" + " " * (indent + 1)
    if isinstance(value, list):
        return f"[{between.join(_written(each, indent + 1) for each in value)}]"
    fields = (
        f"{json.dumps(key, ensure_ascii=False)}: {_written(each, indent + 1)}" for key, each in value.items()
    )
    return f"{{{between.join(fields)}}}"


def _main() -> None:
    with (
        TemporaryDirectory() as directory,  # the examples post feedback
        asking(create_app(Settings(store=f"{directory}/feedback.sqlite3"), wait_for_bundle=True)) as ask,
    ):
        ready = ask("GET", "/readyz")
        if ready.status_code != 200:
            sys.exit(ready.json()["detail"])
        for path in PAGES:
            page = path.read_text(encoding="utf-8")
            path.write_text(rewritten(page, ask), encoding="utf-8")


if __name__ == "__main__":
    _main()
