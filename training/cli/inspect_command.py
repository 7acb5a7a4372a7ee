"""`inspect`: how files of ratings are understood, and what is in them, without training."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from training.cli.progress import console, results
from training.cli.reading_arguments import reads_files
from training.data.inspection import Inspection, inspect_reading, training_command
from training.data.reading import Reading
from training.data.reading_options import ReadingOptions
from training.data.sources import is_path, load_reading
from training.errors import ConfigurationError

_BAR_WIDTH = 40


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("inspect")(reads_files(inspect))


def inspect(
    data: Annotated[str, typer.Argument(help="The path of a file, directory or archive.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
    *,
    reading: ReadingOptions,
) -> None:
    """Show how files of ratings are read, what is in them, and the command to train on them."""
    if not is_path(data):
        raise ConfigurationError(f"inspect: expected a path, got {data}; give that of a file or folder")
    read = load_reading(data, options=reading)
    inspection = inspect_reading(read)
    command = training_command(data, reading)
    if as_json:
        document = {
            "data": data,
            "files": [file.to_document() for file in read.files],
            "left_alone": list(read.notes),
            "left_out": list(read.skipped),
            **inspection.to_document(),
            "command": command,
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    _print(read, inspection)
    results.print(f"Train with:\n  {command}", markup=False, soft_wrap=True)


def _print(read: Reading, inspection: Inspection) -> None:
    files = Table("file", "role", "column", "read as", title=read.table.name)
    for file in read.files:
        files.add_row(file.name, file.purpose, "", file.description)
        for role, column, kind in file.rows():
            files.add_row("", role, column, kind)
    results.print(files)
    figures = Table("", "", show_header=False, title="what is in them")
    for name, value in _figures(inspection):
        figures.add_row(name, value)
    results.print(figures)
    if inspection.histogram:
        _print_histogram(inspection.histogram)
    for note in read.notes:
        console.print(note, markup=False, soft_wrap=True)
    for message in read.skipped:
        console.print(f"left out: {message}", markup=False, soft_wrap=True)
    for warning in inspection.warnings:
        results.print(f"warning: {warning}", markup=False, soft_wrap=True)


def _figures(one: Inspection) -> Iterable[tuple[str, str]]:
    yield "rows", f"{one.rows:,}" + (f", {one.skipped:,} more left out" if one.skipped else "")
    yield (
        "ratings",
        f"{one.ratings:,}" + (f", {one.replaced:,} rows of the same pairs replaced" if one.replaced else ""),
    )
    if one.rated < one.ratings:
        yield "watches without a rating", f"{one.ratings - one.rated:,}"
    yield (
        "users",
        f"{one.users:,}, {one.users_with_one:,} of them with one rating; {_spread(one.per_user)} each",
    )
    unknown = f", {one.unknown_items:,} not in the items' file" if one.unknown_items else ""
    cold = f", {one.cold_items:,} of them never rated" if one.cold_items else ""
    yield "items", f"{one.items:,}{cold}{unknown}; {_spread(one.per_item)} ratings each"
    yield "density", f"{one.density:.3%} of all pairs"
    if one.scale:
        yield "rating scale", f"{one.scale[0]:g} to {one.scale[1]:g}"
    if one.weights and one.weights["least"] != one.weights["most"]:
        yield "weights", _spread(one.weights)
    yield "times", _times(one)
    yield (
        "titles, years, genres",
        f"{one.titled:.0%} titled, {one.dated:.0%} with a year, {one.genres:,} genres",
    )
    for name, count in one.features.items():
        yield f"feature {name}", f"{count:,} values"
    for name, count in one.user_features.items():
        yield f"user feature {name}", f"{count:,} values"


def _times(one: Inspection) -> str:
    if not one.has_times:
        return "none" if one.tied is None else f"not used: {one.tied:.0%} of a user's pairs of ratings tie"
    return f"{one.first} to {one.last}; {one.tied or 0:.1%} of a user's pairs of ratings tie"


def _spread(figures: dict[str, float]) -> str:
    if not figures:
        return "none"
    least, median, mean, most = (f"{figures[name]:,.5g}" for name in ("least", "median", "mean", "most"))
    return f"{least} to {most} (median {median}, mean {mean})"


def _print_histogram(histogram: dict[str, float]) -> None:
    table = Table("rating", "share", "", title="ratings")
    largest = max(histogram.values())
    for name, share in histogram.items():
        table.add_row(name, f"{share:.1%}", "█" * round(_BAR_WIDTH * share / largest))
    results.print(table)
