"""`list`, `verify`, `prune`, `rollback`: commands about existing bundles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from service.bundle.current import roll_back
from service.bundle.object_storage import is_url
from service.errors import MatineeError
from training.cli.options import DEFAULT_ARTIFACTS
from training.cli.progress import console, results
from training.errors import BundleCommandError
from training.export.artifacts import writing
from training.export.bundle_inventory import bundles_in, prune, sole_training, verify_whole
from training.export.published_artifacts import PublishedArtifacts, roll_back_storage
from training.export.verification import verify_served

MIB = 2**20
_FIGURES = {"hit_rate_at_100": "HR@100", "ndcg_at_10": "NDCG@10", "rmse": "RMSE"}

Artifacts = Annotated[Path, typer.Option(help="The directory of bundles.")]
ArtifactsOrUrl = Annotated[
    str, typer.Option(metavar="PATH", help="The directory of bundles, or s3://bucket/prefix.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list")(list_bundles)
    app.command("verify")(verify_bundle)
    app.command("prune")(prune_bundles)
    app.command("rollback")(rollback)


def list_bundles(artifacts: Artifacts = DEFAULT_ARTIFACTS) -> None:
    """List bundles, the newest first, with their measures, and which is live, previous or refused."""
    head = ("bundle", "", "created", "data", "ratings", "MiB", "split", *_FIGURES.values(), "problem")
    table = Table(*head, title=str(artifacts))
    for entry in bundles_in(artifacts):
        manifest = entry.manifest
        if manifest is None:
            table.add_row(entry.path.name, entry.role, *[""] * (len(head) - 3), entry.problem)
            continue
        size = sum(file["bytes"] for file in manifest.files.values()) / MIB
        about = (
            manifest.dataset.get("name", ""),
            f"{manifest.dataset.get('ratings', 0):,}",
            f"{size:.1f}",
            *_figures(manifest.metrics or {}),
            entry.refusal,
        )
        role = entry.role or ("refused" if entry.refusal else "")
        table.add_row(entry.path.name, role, manifest.created_utc, *about)
    results.print(table)


def verify_bundle(
    bundle: Annotated[Path | None, typer.Argument(help="A bundle's directory, by default the live.")] = None,
    artifacts: ArtifactsOrUrl = str(DEFAULT_ARTIFACTS),
) -> None:
    """Check sizes and checksums, then have the service load the bundle and replay its golden requests."""
    with _as_training_error():
        bundle = bundle or PublishedArtifacts(artifacts).live()
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
    """Remove old bundles, never the live or the previous one, and what killed trainings left."""
    with sole_training(artifacts) as leftovers, writing(artifacts), _as_training_error():
        for name in leftovers:
            console.print(f"removed {name}, which a killed training left", markup=False, soft_wrap=True)
        removed = prune(artifacts, keep)
    for name in removed:
        console.print(f"removed {name}", markup=False, soft_wrap=True)
    if not removed and not leftovers:
        console.print("nothing to remove")


def rollback(artifacts: ArtifactsOrUrl = str(DEFAULT_ARTIFACTS)) -> None:
    """Make the previous bundle live and the live one previous; a second time undoes it."""
    with writing(Path(artifacts)), _as_training_error():
        bundle_id = roll_back_storage(artifacts) if is_url(artifacts) else roll_back(Path(artifacts))
    console.print(f"{artifacts}/{bundle_id} is live", markup=False, soft_wrap=True)


def _figures(metrics: Mapping[str, Any]) -> list[str]:
    """The split, and each of `_FIGURES`; empty where it was not measured."""
    measures = metrics.get("model", {})
    return [
        metrics.get("split", ""),
        *(f"{measures[name]:.4f}" if name in measures else "" for name in _FIGURES),
    ]


@contextmanager
def _as_training_error() -> Iterator[None]:
    try:
        yield
    except MatineeError as error:
        raise BundleCommandError(str(error)) from error
