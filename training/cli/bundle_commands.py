"""`list`, `verify`, `prune`, `rollback`: commands about the bundles there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from service.bundle.current import read_current, roll_back
from service.errors import MatineeError
from training.cli.options import DEFAULT_ARTIFACTS
from training.cli.progress import console, results
from training.errors import ShelfError
from training.export.artifacts import writing
from training.export.bundle_inventory import bundles_in, prune, sole_training, verify_whole
from training.export.verification import verify_served

MIB = 2**20

Artifacts = Annotated[Path, typer.Option(help="Where bundles live.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("list")(list_bundles)
    app.command("verify")(verify_bundle)
    app.command("prune")(prune_bundles)
    app.command("rollback")(rollback)


def list_bundles(artifacts: Artifacts = DEFAULT_ARTIFACTS) -> None:
    """Shows the bundles there are, the newest first, and which is live."""
    table = Table("bundle", "", "made", "data", "ratings", "MiB", "trouble", title=str(artifacts))
    for shelved in bundles_in(artifacts):
        manifest = shelved.manifest
        if manifest is None:
            table.add_row(shelved.path.name, shelved.role, "", "", "", "", shelved.trouble)
            continue
        size = sum(entry["bytes"] for entry in manifest.files.values()) / MIB
        about = (
            manifest.dataset.get("name", ""),
            f"{manifest.dataset.get('ratings', 0):,}",
            f"{size:.1f}",
            "",
        )
        table.add_row(shelved.path.name, shelved.role, manifest.created_utc, *about)
    results.print(table)


def verify_bundle(
    bundle: Annotated[Path | None, typer.Argument(help="Its directory; the live one's by default.")] = None,
    artifacts: Artifacts = DEFAULT_ARTIFACTS,
) -> None:
    """Checks sizes and checksums, then has the service load the bundle and replay its golden requests."""
    with _told_in_one_line():
        bundle = bundle or read_current(artifacts)
        manifest = verify_whole(bundle.absolute())
    verify_served(bundle)
    results.print(
        f"{bundle}: {len(manifest.files)} files as they were written, golden requests answered as recorded",
        markup=False,
        soft_wrap=True,
    )


def prune_bundles(
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest to keep.")] = 3,
    artifacts: Artifacts = DEFAULT_ARTIFACTS,
) -> None:
    """Removes old bundles, never the live or the previous one, and what killed trainings left behind."""
    with sole_training(artifacts) as leftovers, writing(artifacts), _told_in_one_line():
        for name in leftovers:
            console.print(f"removed {name}, which a killed training left", markup=False, soft_wrap=True)
        removed = prune(artifacts, keep)
    for name in removed:
        console.print(f"removed {name}", markup=False, soft_wrap=True)
    if not removed and not leftovers:
        console.print("nothing to remove")


def rollback(artifacts: Artifacts = DEFAULT_ARTIFACTS) -> None:
    """Makes the previous bundle live and the live one the previous; a second time undoes it."""
    with writing(artifacts), _told_in_one_line():
        bundle_id = roll_back(artifacts)
    console.print(f"{artifacts / bundle_id} is live", markup=False, soft_wrap=True)


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    try:
        yield
    except MatineeError as error:
        raise ShelfError(str(error)) from error
