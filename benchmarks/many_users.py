"""Latency and memory with a million users' histories in mapped files, beside those of a bundle's own users.

    python -m benchmarks.many_users --artifacts artifacts --work many-users --page docs/performance.md

Writes two bundles into `--work`, where they stay for the next run: one with the live bundle's histories, and
one with a million users more, each of whom has the history of one of them, drawn at random: 106 million rows
of MovieLens 100K's. The service serves both, loaded in turns with requests of random users, in an open loop
at half of what the slower one can.

The model of both is the live one, but it knows the ids of its own users only: for the others it takes the id
embedding of one of those (the row modulo their number), so that each answer takes the same steps. A model
trained on the million would have their id embeddings too, 244 MiB at 64 dimensions.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.closed_loop import Run, run_closed
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.page import markdown_table, replace_between
from benchmarks.socket_load import Load, Sample, percentile
from service.bundle.checksums import list_files
from service.bundle.current import go_live, read_current
from service.bundle.histories import Histories, History
from service.bundle.manifest import MANIFEST_FILE, read_manifest
from service.bundle.saved_model import MODEL_DIRECTORY, save
from service.bundle.stored_states import write_stored_states

MARK = "benchmarks.many_users"
MOST_RATIO = 1.3
"""The bar: p99 with a million users over that with the bundle's own."""
SETTINGS: dict[str, Mapping[str, str]] = {
    "default": {},
    "nothing cached": {"MATINEE_CACHED_USERS": "0"},
}
_BODIES, _CONNECTIONS, _USERS_AT_ONCE = 20_000, 16, 50_000
_CLOSED = 3
"""Closed loops, which find the rate."""


def main() -> None:
    """Print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description="A million users in mapped files.")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--work", type=Path, required=True, help="directory of the bundles, 1.8 GB")
    parser.add_argument("--users", type=int, default=1_000_000, help="users beside the bundle's own")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=3, help="seconds of each loop")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args()
    source = read_current(arguments.artifacts)
    artifacts = [
        _written(source, arguments.work / f"{others}-others", others) for others in (0, arguments.users)
    ]
    rows = []
    for name, settings in SETTINGS.items():
        rows += _measure(name, artifacts, settings, arguments.rounds, arguments.seconds)
    text = _table(rows, arguments.rounds, arguments.seconds)
    sys.stdout.write(f"{text}\n")
    if arguments.page:
        replace_between(arguments.page, MARK, text)


def _written(source: Path, artifacts: Path, others: int) -> Path:
    """Write the bundle with other users after its own; return its artifacts directory."""
    bundle = artifacts / source.name
    if (bundle / MANIFEST_FILE).exists():
        return artifacts
    shutil.rmtree(artifacts, ignore_errors=True)
    shutil.copytree(source, bundle)
    for name in ("histories", MODEL_DIRECTORY):
        shutil.rmtree(bundle / name)
    (bundle / MANIFEST_FILE).unlink()
    manifest = read_manifest(source)
    num_candidates = manifest.dataset["movies"]
    own = Histories.open(source, num_candidates)
    _save_model(source, bundle, len(own))
    num_ratings = write_histories(bundle, own, others)
    write_stored_states(bundle, num_candidates=num_candidates, max_history=manifest.max_history)
    counts = {"users": len(own) + others, "ratings": num_ratings}
    replace(manifest, dataset=manifest.dataset | counts, files=list_files(bundle)).write(bundle)
    go_live(artifacts, bundle.name)
    return artifacts


def write_histories(directory: Path, own: Histories, others: int, seed: int = 0) -> int:
    """Write the users' histories, and of each other user one of theirs; return the number of rows."""
    drawn = np.random.default_rng(seed).integers(len(own), size=others)
    user_rows = np.concatenate([np.arange(len(own)), drawn])
    lengths = own.lengths(user_rows, own.num_ratings)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    whole = History(
        np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.float32), np.empty(offsets[-1], np.int64)
    )
    for start in range(0, len(user_rows), _USERS_AT_ONCE):
        part = user_rows[start : start + _USERS_AT_ONCE]
        _, movies = own.of_users(part)
        place = slice(offsets[start], offsets[start + len(part)])
        whole.rows[place], whole.ratings[place] = movies.rows, movies.ratings
        whole.timestamps[place] = movies.timestamps
    # After every id of digits, so that the bundle's own users keep their rows.
    ids = [own.user_id_of(row) for row in range(len(own))] + [f"u{number:09d}" for number in range(others)]
    Histories.write(directory, ids, offsets, whole)
    return len(whole)


def _save_model(source: Path, bundle: Path, num_users: int) -> None:
    """Save the model again, with users beyond its own read as if they were of these."""
    import tensorflow as tf  # noqa: PLC0415  takes seconds

    loaded = tf.saved_model.load(str(source / MODEL_DIRECTORY))
    module = tf.Module()
    module.loaded = loaded
    signatures = {
        name: _of_own_users(tf, signature, num_users)
        for name, signature in loaded.signatures.items()
        if name != "serving_default"
    }
    save(module, bundle / MODEL_DIRECTORY, signatures)


def _of_own_users(tf: Any, signature: Any, num_users: int) -> Any:
    def call(**inputs: Any) -> Any:
        if (rows := inputs.get("user_rows")) is not None:
            inputs["user_rows"] = tf.where(rows < 0, rows, rows % num_users)
        return signature(**inputs)

    specs = signature.structured_input_signature[1]
    return tf.function(call, autograph=False).get_concrete_function(
        **{name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()}
    )


def _measure(
    name: str, artifacts: Sequence[Path], settings: Mapping[str, str], rounds: int, seconds: float
) -> list[list[str]]:
    with (
        MeasuredServer.service(artifacts[0], settings) as few,
        MeasuredServer.service(artifacts[1], settings) as many,
    ):
        servers = (few, many)
        users = [_user_ids(each) for each in artifacts]
        runs = [
            [_closed_loop(server, ids, seed, seconds) for seed in range(_CLOSED)]
            for server, ids in zip(servers, users, strict=True)
        ]
        most = [median(run.per_second for run in of) for of in runs]
        samples: tuple[list[list[Sample]], list[list[Sample]]] = ([], [])
        for place in range(rounds):
            for at, server in enumerate(servers):
                bodies = _bodies(users[at], seed=_CLOSED + place)
                samples[at].append(_open_loop(server, bodies, min(most) / 2, seconds))
        p99 = [percentile(_pooled(of), 0.99) for of in samples]
        of_rounds = sorted(
            percentile(ours, 0.99) / percentile(theirs, 0.99) for theirs, ours in zip(*samples, strict=True)
        )
        ratio = f"{p99[1] / p99[0]:.2f} ({of_rounds[0]:.2f} to {of_rounds[-1]:.2f})"
        return [
            [
                _counts(artifacts[at]),
                name,
                f"{most[at]:,.0f}",
                f"{median(run.cpu_us for run in runs[at]):.0f}",
                f"{1000 * percentile(_pooled(samples[at]), 0.5):.2f}",
                f"{1000 * p99[at]:.2f}",
                ratio if at else "",
                f"{servers[at].resident_mib():,.0f}",
                f"{_private_mib(servers[at]):,.0f}",
                f"{servers[at].start_seconds:.1f}",
            ]
            for at in range(2)
        ]


def _closed_loop(server: MeasuredServer, user_ids: Sequence[str], seed: int, seconds: float) -> Run:
    bodies = _bodies(user_ids, seed)
    return run_closed(server, "/recommend", bodies, connections=_CONNECTIONS, seconds=seconds)


def _pooled(rounds: Sequence[Sequence[Sample]]) -> list[Sample]:
    """The samples of all rounds: what else the machine does is spread over both servers'."""
    return [sample for of_round in rounds for sample in of_round]


def _open_loop(server: MeasuredServer, bodies: Sequence[object], rate: float, seconds: float) -> list[Sample]:
    load = Load(server.port, bodies, connections=64, per_second=rate)
    time.sleep(seconds)
    samples = load.stop()
    if failed := [each.status for each in samples if each.status != 200]:
        raise SystemExit(f"{server.url}: expected answers, got {len(failed)} errors, such as {failed[0]}")
    return samples


def _bodies(user_ids: Sequence[str], seed: int) -> list[object]:
    draw = random.Random(seed)  # noqa: S311 no secret
    return [{"user_id": draw.choice(user_ids), "k": 10} for _ in range(_BODIES)]


def _user_ids(artifacts: Path) -> list[str]:
    histories = _histories(artifacts)
    sampled: NDArray[np.int64] = np.random.default_rng(1).permutation(len(histories))[: 10 * _BODIES]
    return [histories.user_id_of(row) for row in sampled.tolist()]


def _histories(artifacts: Path) -> Histories:
    bundle = read_current(artifacts)
    return Histories.open(bundle, read_manifest(bundle).dataset["movies"])


def _counts(artifacts: Path) -> str:
    dataset = read_manifest(read_current(artifacts)).dataset
    return f"{dataset['users']:,} users, {dataset['ratings']:,} rows"


def _private_mib(server: MeasuredServer) -> float:
    """Memory of the largest worker that is not of files."""
    return max(_anonymous_mib(pid) for pid in (server.pid, *server.workers))


def _anonymous_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon")), 0.0)


_HEADINGS = (
    *("served:", "settings:", "requests/s, closed loop", "CPU us a request", "p50, ms", "p99, ms"),
    *("p99 over the first's", "resident, MiB", "of it not of files, MiB", "start to ready, s"),
)


def _table(rows: Sequence[Sequence[str]], rounds: int, seconds: float) -> str:
    machine = format_machine(describe_machine(["fastapi", "uvicorn", "annoy", "numpy"]))
    heading = (
        f"`python -m benchmarks.many_users`, {rounds} rounds of {seconds:g} s in an open loop at half of the "
        "slower one's most, in turns; the p99 of all rounds together (of each round) must be at most "
        f"{MOST_RATIO:g} times the other's; {machine}."
    )
    return f"{heading}\n\n{markdown_table(_HEADINGS, rows)}"


if __name__ == "__main__":
    main()
