"""`matinee`: one command for the service (`serve`, `store`) and for training (all others).

What only the service needs is chosen before anything of training is imported: an image that serves has
none of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from service.environment import unknown_variables

if TYPE_CHECKING:
    import typer

_WHAT = "Train a recommender on ratings, measure it, and serve it over HTTP."
_SERVE = "Serve the live bundle over HTTP."
_STORE = "Copy a store of feedback, back it up, forget again after a restore."
_WRONG = 2


def main() -> None:
    """Run a command.

    Raises:
        SystemExit: Always where the command is one of training; else as of `service`.
    """
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if command := _OF_SERVICE.get(name):
        command(arguments)
    else:
        _train(name)


def _serve(arguments: Sequence[str]) -> None:
    from service.__main__ import main as serve  # noqa: PLC0415  of two commands one

    serve(arguments, "matinee serve")


def _store(arguments: Sequence[str]) -> None:
    from service.live.__main__ import main as store  # noqa: PLC0415  as above

    store(arguments, "matinee store")


_OF_SERVICE: dict[str, Callable[[Sequence[str]], None]] = {"serve": _serve, "store": _store}


def _train(name: str) -> None:
    if find_spec("training") is None or find_spec("typer") is None:
        _explain_without_training(name)
    unknown = unknown_variables()
    for line in unknown:
        sys.stderr.write(f"error: {line}\n")
    if unknown:
        sys.exit(_WRONG)
    from training.cli import command_line  # noqa: PLC0415  not installed where only the service is

    _list_with_those_of_service(command_line.app)
    command_line.main()


def _explain_without_training(name: str) -> None:
    if name in {"", "--help"}:
        sys.stdout.write(
            f"usage: matinee serve ...   {_SERVE}\n"
            f"       matinee store ...   {_STORE}\n\n"
            "`matinee serve --help` lists the options. Training is not installed here: pip install "
            "'matinee[training]'\n"
        )
        sys.exit(0 if name else _WRONG)
    sys.stderr.write(
        f"error: matinee {name}: expected serve or store, for training is not installed here; "
        "pip install 'matinee[training]', or requirements/training.txt\n"
    )
    sys.exit(_WRONG)


def _list_with_those_of_service(app: typer.Typer) -> None:
    """Have `matinee --help` list, and misspelt names suggest, the commands that `main` looks for itself."""
    app.info.help = _WHAT

    def never_called() -> None: ...

    for name, words in (("serve", _SERVE), ("store", _STORE)):
        app.command(name, help=words)(never_called)
