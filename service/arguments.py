"""Arguments of `matinee serve`: each setting is an option too, but for keys, which others could see."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from service.live.opening import PASSWORD_VARIABLE
from service.secrets_directory import DEFAULT_SECRETS, SECRETS_VARIABLE
from service.settings import SECRET, Settings

_SECRETS_HELP = "Directory whose files, such as matinee_api_keys, hold variables that are not set."
_OF_POSTGRES = "Password of PostgreSQL, where the URL of MATINEE_STORE has none."
_CHECKS = ("check", "verify")
_KEYS = [name for name in SECRET if name != "store"]


def parse_arguments(arguments: Sequence[str], program: str) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Read the arguments.

    Args:
        arguments: Without the program.
        program: How it is called, for the help.

    Returns:
        `check` and `verify`; and the values of settings that are given.

    Raises:
        SystemExit: 2 where an argument is wrong, 0 after the help.
    """
    parser = _Parser(
        prog=program,
        usage=f"{program} [options]",
        description="Serves recommendations over HTTP. An option goes before its environment variable, which "
        "is in brackets with the default.",
        epilog="Keys and passwords are variables only, since others can see arguments:\n"
        + "\n".join(f"  {name}  {meaning}" for name, meaning in _variables_only()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--check", action="store_true", help="only see whether the settings are right and the port is free"
    )
    parser.add_argument(
        "--verify", metavar="BUNDLE", type=Path, help="only see whether a bundle could be served"
    )
    for name, field in Settings.model_fields.items():
        if name not in _KEYS:
            words = f"{field.description} [MATINEE_{name.upper()}={field.default}]".replace("%", "%%")
            parser.add_argument(option(name), metavar="...", default=argparse.SUPPRESS, help=words)
    read = parser.parse_args(arguments)
    return read, {name: value for name, value in vars(read).items() if name not in _CHECKS}


def option(setting: str) -> str:
    """The option of a setting, such as `--log-format`."""
    return f"--{setting.replace('_', '-')}"


def _variables_only() -> list[tuple[str, str]]:
    keys = [(f"MATINEE_{name.upper()}=", Settings.model_fields[name].description or "") for name in _KEYS]
    secrets = (f"{SECRETS_VARIABLE}={DEFAULT_SECRETS}", _SECRETS_HELP)
    return [*keys, (f"{PASSWORD_VARIABLE}=", _OF_POSTGRES), secrets]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Name the option that may be meant by an unknown one."""
        wrong = message.removeprefix("unrecognized arguments: ").split()[0].partition("=")[0]
        options = [each for action in self._actions for each in action.option_strings]
        near = get_close_matches(wrong, options, n=1) if message.startswith("unrecognized") else []
        super().error(f"{message}; did you mean {near[0]}?" if near else message)
