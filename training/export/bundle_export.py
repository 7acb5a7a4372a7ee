"""Writes a bundle: beside the others, whole or not at all, and live only once it has been verified."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.bundle.candidate_index import CandidateIndex
from service.bundle.catalogue import Catalogue
from service.bundle.checksums import list_files
from service.bundle.current import go_live, refuse
from service.bundle.disk import sync
from service.bundle.golden_requests import write_golden
from service.bundle.histories import Histories, History
from service.bundle.index_description import Backend
from service.bundle.manifest import Manifest
from service.bundle.report import REPORT_DIRECTORY
from service.bundle.saved_model import MODEL_DIRECTORY
from service.bundle.stored_states import write_stored_states
from training.data.stored_feedback import StoredFeedback
from training.data.table import RatingsTable
from training.export.artifacts import make_artifacts, writing
from training.export.bundle_inventory import BUILDING, VERIFYING
from training.export.golden_requests import golden_requests
from training.export.index_recall import build_measured_index
from training.export.rating_head import write_rating_head
from training.export.sampled_queries import sample_queries
from training.export.saved_model import library_versions, save_model
from training.export.verification import verify_in_fresh_process, verify_served
from training.model.trained_model import TrainedModel
from training.report.bundle_report import headline, write_report

EXPORT_STEPS = 8
"""How often `export_bundle` calls `on_step`."""


def export_bundle(
    trained: TrainedModel,
    table: RatingsTable,
    metrics: dict[str, Any] | None,
    artifacts: Path,
    on_step: Callable[[str], None] = lambda _: None,
    *,
    on_progress: Callable[[str], None] = lambda _: None,
    index_backend: Backend = "annoy",
    refusal: str | None = None,
    stored: StoredFeedback | None = None,
    warm_start: Mapping[str, Any] | None = None,
    keep_model: bool = True,
) -> Path:
    """Write, move and verify a bundle, and make it live.

    Args:
        trained: Trained on every row of `table`.
        table: The ratings.
        metrics: What evaluation measured before; None: not measured.
        artifacts: Where bundles live.
        on_step: Called with the name of each of `EXPORT_STEPS` steps as it begins.
        on_progress: Called within the steps that take long, with what was just done.
        index_backend: What finds candidates.
        refusal: Why it must not go live, see `QualityGate`; it is kept, and says so.
        stored: The store that `table` has feedback of, if any.
        warm_start: What training began with, see `FormerBundle.record`, if with an earlier bundle.
        keep_model: Whether `trained` is needed afterwards; otherwise its memory is freed.

    Returns:
        The bundle's directory.

    Raises:
        ExportError: The bundle cannot be written, or fails a check; nothing of it is left.
        Forgotten: A user was forgotten meanwhile; nothing of it is left.
        SourceError: The store cannot be read any more; nothing of it is left.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    identity = f"{table.sha256}{json.dumps(trained.config.to_document(), sort_keys=True)}"
    bundle_id = f"{now:%Y%m%dT%H%M%SZ}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
    with writing(artifacts):
        make_artifacts(artifacts)
        # By the parents' names a later training knows leftovers, see `sole_training`.
        building = artifacts / f"{BUILDING}{bundle_id}-{os.getpid()}"
        verifying = artifacts / f"{VERIFYING}{bundle_id}-{os.getpid()}"
        try:
            _write(
                building / bundle_id,
                trained,
                table,
                metrics=metrics,
                now=now,
                on_step=on_step,
                on_progress=on_progress,
                index_backend=index_backend,
                refusal=refusal,
                stored=stored,
                warm_start=warm_start,
            )
            building.rename(verifying)
            on_step("compare with the model in a fresh process")
            verify_in_fresh_process(verifying / bundle_id, trained, keep_model=keep_model)
            on_step("load as the service does, replay the golden requests")
            verify_served(verifying / bundle_id)
            if stored is not None:
                stored.require_none_forgotten()
            (verifying / bundle_id).rename(artifacts / bundle_id)
            sync(artifacts)
        finally:
            shutil.rmtree(building, ignore_errors=True)
            shutil.rmtree(verifying, ignore_errors=True)
        if refusal is None:
            go_live(artifacts, bundle_id)
        else:
            refuse(artifacts, bundle_id)
    return artifacts / bundle_id


def _write(
    directory: Path,
    trained: TrainedModel,
    table: RatingsTable,
    *,
    metrics: dict[str, Any] | None,
    now: datetime,
    on_step: Callable[[str], None],
    on_progress: Callable[[str], None],
    index_backend: Backend,
    refusal: str | None,
    stored: StoredFeedback | None,
    warm_start: Mapping[str, Any] | None,
) -> None:
    directory.mkdir(parents=True)
    on_step("write the embeddings and the catalogue")
    embeddings = trained.candidate_embeddings
    CandidateIndex.write_candidates(directory, embeddings)
    _catalogue(table).write(directory)
    on_step("write the histories")
    histories = trained.histories
    ratings = History(histories.movie_rows, histories.ratings, histories.timestamps)
    Histories.write(directory, histories.user_ids, histories.offsets, ratings)
    on_step("build the index and measure its recall")
    queries, seed = sample_queries(trained), trained.config.seed
    index = build_measured_index(
        directory, embeddings, queries, backend=index_backend, seed=seed, on_progress=on_progress
    )
    on_step("save the model")
    save_model(trained, table.movies, directory / MODEL_DIRECTORY)
    if table.rating_scale is not None:
        write_rating_head(directory, trained)
    max_history = trained.config.max_history
    write_stored_states(directory, num_candidates=len(embeddings), max_history=max_history)
    on_step("answer the golden requests")
    write_golden(directory, golden_requests(trained, table, seed))
    on_step("write the manifest")
    shipped = {"seed": seed, "losses": trained.losses}
    write_report(directory / REPORT_DIRECTORY, directory.name, metrics, shipped)
    first, last = table.time_range or (None, None)
    manifest = Manifest(
        bundle_id=directory.name,
        created_utc=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        dataset={
            "name": table.name,
            "source": table.source,
            "ratings": table.num_ratings,
            "users": len(trained.histories),
            "movies": table.num_movies,
            "first_timestamp": first,
            "last_timestamp": last,
            "sha256": table.sha256,
            **({} if stored is None else {"store_position": stored.position}),
            **({} if warm_start is None else {"warm_start": dict(warm_start)}),
        },
        hyperparameters=trained.config.to_document(),
        seed=seed,
        embedding_dimension=embeddings.shape[1],
        max_history=max_history,
        rating_scale=table.rating_scale,
        index=index,
        metrics=_kept_metrics(metrics, refusal),
        libraries=library_versions(),
        files=list_files(directory),
    )
    manifest.write(directory)
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        sync(path)


def _kept_metrics(metrics: dict[str, Any] | None, refusal: str | None) -> dict[str, Any] | None:
    kept = None if metrics is None else headline(metrics)
    return kept if refusal is None else {**(kept or {}), "refused": refusal}


def _catalogue(table: RatingsTable) -> Catalogue:
    movies = table.movies
    return Catalogue(
        movie_ids=list(movies.movie_ids),
        titles=list(movies.titles),
        genres=[list(genres) for genres in movies.genres],
        years=[year or None for year in movies.years.tolist()],
        num_ratings=table.movie_counts.tolist(),
    )
