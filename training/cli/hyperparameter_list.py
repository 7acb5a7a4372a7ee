"""`hyperparameters`: every hyper-parameter with its value and what it means, as TOML for `--config`."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from typing import Any

import typer

from training.cli.given_hyperparameters import given_config
from training.cli.options import ConfigFile, Preset, Purpose, Settings
from training.config import TrainingConfig

_WIDTH = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("hyperparameters")(print_hyperparameters)


def print_hyperparameters(
    preset: Purpose = Preset.FORWARD, config_file: ConfigFile = None, settings: Settings = None
) -> None:
    """Print all hyper-parameters with what they mean, as a TOML file to change and to give to `--config`."""
    typer.echo(as_toml(given_config(preset.value, config_file, settings or ())), nl=False)


def as_toml(config: TrainingConfig) -> str:
    """Hyper-parameters as TOML, each below a comment with its meaning."""
    texts, said = [], ""
    meant = meanings()
    for name, value in config.to_document().items():
        words = meant[name]
        comment = "" if words == said else "\n" + textwrap.fill(words, _WIDTH, **_COMMENT) + "\n"
        said = words
        texts.append(f"{comment}{name} = {json.dumps(value)}\n")
    return "".join(texts).lstrip("\n")


_COMMENT: dict[str, Any] = {"initial_indent": "# ", "subsequent_indent": "# ", "break_on_hyphens": False}


def in_one_paragraph_each() -> str:
    """Every hyper-parameter with its default and meaning, for the end of a command's help."""
    defaults, meant = TrainingConfig().to_document(), meanings()
    lines = [f"{name}={json.dumps(value)}: {meant[name]}" for name, value in defaults.items()]
    return "\n\n".join(["Hyper-parameters of --set and --config, with their defaults:", *lines])


def meanings() -> dict[str, str]:
    """What each hyper-parameter means, as the docstring of `TrainingConfig` says."""
    _, _, attributes = (inspect.getdoc(TrainingConfig) or "").partition("Attributes:\n")
    meant = {}
    for names, words in re.findall(r"^    (\w[\w, ]*): (.*(?:\n {8}.*)*)", attributes, re.MULTILINE):
        for name in names.split(", "):
            meant[name] = " ".join(words.replace("`", "").split())
    return meant
