"""`matinee store`, or `python -m service.live`: copies stores of feedback; forgets again after a restore."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from service.errors import StoreError, StoreRefused
from service.live.database import Database
from service.live.forgotten_list import ForgottenList, forget_again
from service.live.migration import require_schema
from service.live.opening import PASSWORD_VARIABLE, database_of
from service.live.store_copy import copy_store

_STORE = "path of SQLite, or postgresql://user@host/database"


def main(arguments: Sequence[str] | None = None, program: str = "python -m service.live") -> None:
    """Run a command.

    Args:
        arguments: Without the program; None: of this process.
        program: How it is called, for the help.

    Raises:
        SystemExit: 1 where a store cannot be used, 2 where the command is wrong.
    """
    chosen = parser_of(program).parse_args(arguments)
    try:
        if chosen.command == "copy":
            _copy(_database(chosen.source), _database(chosen.target))
        elif chosen.command == "forgotten":
            _print_forgotten(_database(chosen.store))
        else:
            _forget(_database(chosen.store), chosen.list)
    except (StoreError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)


def parser_of(program: str) -> argparse.ArgumentParser:
    """The parser of the commands, whose help says how they are called."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Copies stores of feedback, to move them, back them up and restore them.",
        epilog=f"Put a password into {PASSWORD_VARIABLE}, not into a URL: arguments can be seen by others.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    copying = commands.add_parser(
        "copy", help="copy a whole store, as it is at one moment, into an empty one, of any kind"
    )
    copying.add_argument("source", metavar="FROM", help=_STORE)
    copying.add_argument("target", metavar="TO", help=f"{_STORE}; made where there is none")
    listing = commands.add_parser("forgotten", help="print the list of who was forgotten: hashes, no ids")
    listing.add_argument("store", metavar="STORE", help=_STORE)
    forgetting = commands.add_parser(
        "forget", help="after a backup was restored: forget who is on a list that was made later"
    )
    forgetting.add_argument("store", metavar="STORE", help=_STORE)
    forgetting.add_argument("list", metavar="LIST", type=Path, help="file with what `forgotten` printed")
    return parser


def _copy(source: Database, target: Database) -> None:
    position = copy_store(source, target, copied=lambda table, rows: _say(f"{table}: {rows:,}"))
    _say(f"{source.name} was copied to {target.name}, position {position:,}")


def _print_forgotten(store: Database) -> None:
    with store.reading() as connection:
        require_schema(store, connection)
        for line in ForgottenList.of(connection).lines():
            _say(line)


def _forget(store: Database, path: Path) -> None:
    listed = ForgottenList.from_lines(path.read_text(encoding="utf-8").splitlines())
    with store.reading() as connection:  # or a mistyped path would be made into a store
        require_schema(store, connection)
    with closing(store.connect()) as connection:
        forgotten, found = forget_again(connection, listed)
    _say(
        f"{store.name}: {forgotten:,} of {len(listed.tombstones):,} users were forgotten again; "
        f"rows of {found:,} were deleted"
    )


def _database(setting: str) -> Database:
    database = database_of(setting)
    if database is None:
        raise StoreRefused(f"expected the path or the URL of a store of feedback, got {setting!r}")
    return database


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
