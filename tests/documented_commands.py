"""Command lines of `matinee` in pages, messages and help, read by the parsers of the real commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import typer
from service_process import REPOSITORY
from typer.core import TyperGroup

from service.arguments import parse_arguments
from service.live.__main__ import parser_of
from training.cli.command_line import app

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
CODE = [
    path for room in ("matinee", "service", "training") for path in sorted((REPOSITORY / room).rglob("*"))
]
SOURCES = [path for path in CODE if path.suffix in {".py", ".jinja", ".html", ".js"}]

_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_IN_A_CONTAINER = re.compile(r"^docker compose .*--entrypoint matinee \w+ (.*)$")
_GROUP = typer.main.get_command(app)
assert isinstance(_GROUP, TyperGroup)
COMMANDS = dict(_GROUP.commands)


def command_lines(page: Path) -> Iterator[str]:
    """Iterate over the arguments of `matinee` in the consoles of a page, also in containers of Compose."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if not line.startswith("$ "):
                continue
            command = re.sub(r"\s+", " ", line.removeprefix("$ "))
            if found := _IN_A_CONTAINER.match(command):
                yield found[1]
            elif command.startswith("matinee "):
                yield command.removeprefix("matinee ")


def mentions(path: Path) -> Iterator[str]:
    """Iterate over what stands in backquotes and is `matinee ...`, or a command of it with an option."""
    text = path.read_text(encoding="utf-8")
    for words in re.findall(r"(?:`|<code>)matinee ([^`<]+)(?:`|</code>)", text):
        yield " ".join(words.split())
    if path.suffix == ".md":
        for name, words in re.findall(r"`(\w+) (--[^`]+)`", text):
            if name in COMMANDS or name in {"serve", "store"}:
                yield f"{name} {words}"


def parse(line: str) -> None:
    """Have the command's own parser read a whole line; nothing runs.

    Raises:
        SystemExit: An argument of `serve` or `store` is wrong.
        typer.TyperException: One of training is.
    """
    name, *arguments = shlex.split(line, comments=True)
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    if name == "serve":
        parse_arguments(arguments, "matinee serve")
    elif name == "store":
        parser_of("matinee store").parse_args(arguments)
    elif name != "--help":
        command, parent = COMMANDS[name], typer.Context(_GROUP)
        while isinstance(command, TyperGroup):
            command = command.commands[arguments.pop(0)]
        command.make_context(name, arguments, parent=parent)


def unknown_words(line: str) -> list[str]:
    """What no command or option is called in a mention, whose values may be missing."""
    name, *words = line.split()
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    if name in {"serve", "store"}:
        help_text = _help_of(name)
        return [option for option in options if option not in help_text]
    if name.startswith("-"):
        return []
    if name not in COMMANDS:
        return [name]
    known = {"--help"} | {
        opt for parameter in COMMANDS[name].params for opt in (*parameter.opts, *parameter.secondary_opts)
    }
    return [option for option in options if option not in known]


def _help_of(name: str) -> str:
    if name == "store":
        return parser_of("matinee store").format_help()
    return "".join(f"--{each.replace('_', '-')} " for each in _settings()) + "--check --verify --help"


def _settings() -> list[str]:
    from service.settings import Settings  # noqa: PLC0415 not before its environment is

    return list(Settings.model_fields)
