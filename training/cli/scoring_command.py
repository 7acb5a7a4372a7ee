"""`score`: write the best movies of all users to a file. What it does is in `training.scoring`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.bundle.current import read_current
from service.errors import BundleError
from training.cli.options import DEFAULT_ARTIFACTS, Artifacts, RayAddress, Workers
from training.cli.progress import console, results, stage
from training.errors import BundleCommandError

if TYPE_CHECKING:
    from training.scoring.scoring_run import ScoreParts


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score")(score)


def score(
    output: Annotated[
        Path, typer.Argument(help="The Parquet file, which is replaced when the new one is whole.")
    ],
    bundle: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A bundle's directory, by default the live.")
    ] = None,
    artifacts: Artifacts = DEFAULT_ARTIFACTS,
    users: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Whom to score: an id in every line; by default all of the bundle."
        ),
    ] = None,
    users_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The column of that file, where it is CSV, Parquet or the like."),
    ] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Most movies of a list.")] = 100,
    include_seen: Annotated[
        bool, typer.Option("--include-seen", help="Do not leave out what is in a user's history.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Parts scored at once; by default one a core.")
    ] = None,
    users_per_part: Annotated[
        int, typer.Option(min=1, help="Users of a row group; memory grows with it.")
    ] = 4_096,
    workers: Workers = None,
    ray_address: RayAddress = None,
) -> None:
    """Write user, rank, item, score, predicted rating and bundle of each user's best movies to Parquet.

    A run that was interrupted goes on where it was when the same command is given again.
    """
    # Before NumPy: each thread multiplies matrices by itself.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    count = threads or len(os.sched_getaffinity(0))
    from training.scoring import wanted_users  # noqa: PLC0415  they import NumPy and Arrow
    from training.scoring.scored_bundle import ScoredBundle  # noqa: PLC0415 after the threads of BLAS are set
    from training.scoring.scoring_run import ScoringPlan, Threads, score_users  # noqa: PLC0415 after the threads of BLAS are set

    user_ids = None if users is None else wanted_users.read_user_ids(users, users_column)
    plan = ScoringPlan(k=k, exclude_seen=not include_seen, users_per_part=users_per_part)
    with ExitStack() as stack:
        with stage("Open the bundle"), _as_training_error():
            opened = ScoredBundle.open((bundle or read_current(artifacts)).absolute())
            score_parts: ScoreParts
            if workers is None:
                from training.scoring.list_scorer import ListScorer  # noqa: PLC0415  TensorFlow

                scorer = ListScorer(opened, k=k, exclude_seen=plan.exclude_seen, threads=count)
                score_parts = Threads(scorer, opened, count)
        if workers is not None:
            from training.distributed.ray_cluster import ray_cluster  # noqa: PLC0415  optional

            stack.enter_context(ray_cluster(ray_address, processors=workers))
            from training.distributed.ray_scoring import RayActors  # noqa: PLC0415 imports Ray

            score_parts = RayActors(opened.directory, plan, workers)
        if user_ids is None:
            wanted = wanted_users.WantedUsers.all_of(opened.histories)
        else:
            wanted = wanted_users.WantedUsers.listed(user_ids, opened.histories)
        if wanted.unknown:
            console.print(f"left out {wanted.describe_unknown()}", markup=False, soft_wrap=True)
        started, done = time.perf_counter(), 0
        with stage("Score users", len(plan.parts_of(wanted.rows))) as running:

            def on_part(num_users: int) -> None:
                nonlocal done
                done += num_users
                rate = done / (time.perf_counter() - started)
                running.advance(f"{done:,} of {len(wanted.rows):,} users, {rate:,.0f}/s", milestone=True)

            outcome = score_users(opened, wanted.rows, output, plan, score_parts, on_part=on_part)
    if outcome.num_resumed:
        console.print(f"{outcome.num_resumed:,} of {outcome.num_parts:,} parts were finished before")
    results.print(
        f"{output}: {outcome.num_rows:,} rows of {outcome.num_lists:,} users, by {opened.manifest.bundle_id}",
        markup=False,
        soft_wrap=True,
    )


@contextmanager
def _as_training_error() -> Iterator[None]:
    try:
        yield
    except BundleError as error:
        raise BundleCommandError(str(error)) from error
