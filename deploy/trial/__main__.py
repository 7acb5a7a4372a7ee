"""Builds the images, brings the stack up, asks, measures, retrains, breaks a bundle, stops.

Wants Docker with Compose, `prometheus` and `promtool`, `objdump`; nothing of what it starts is left. A step
that is not as documented ends it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from importlib import metadata, util
from pathlib import Path

from deploy.trial import images, monitoring
from deploy.trial.commands import REPOSITORY, TrialFailed, expect, run, say, wait_for
from deploy.trial.load import Load
from deploy.trial.monitoring import Prometheus
from deploy.trial.report import Report
from deploy.trial.stack import PROJECT, Stack
from training.data.wheel_source import rebuild_grouplens_files

MOST_BYTES = 1_400_000_000
"""Of the service's image."""


def main() -> None:
    """Tries all of it, and writes what it measured into docs/deployment.md.

    Raises:
        SystemExit: 1, where something is not as documented.
    """
    os.chdir(REPOSITORY)
    report = Report()
    try:
        with tempfile.TemporaryDirectory() as directory:
            home = Path(directory)
            home.chmod(0o755)  # the containers' user looks into it
            _images(report)
            _stack(report, home)
    except TrialFailed as error:
        sys.exit(f"test-docker: {error}")
    report.write()
    say(f"written to {report.path}")


def _images(report: Report) -> None:
    say("Build")
    began = time.monotonic()
    sizes = images.build()
    took_seconds = time.monotonic() - began
    expect(
        sizes["service"] <= MOST_BYTES,
        f"the service's image has {sizes['service'] / 1e9:.2f} GB of at most 1.40",
    )
    report.add("images", ", ".join(f"{target} {size / 1e9:.2f} GB" for target, size in sizes.items()))
    report.add("the base image in them", f"{images.base_bytes() / 1e9:.2f} GB")
    report.add("packages of the service", "; ".join(images.shed()))
    report.add("build, with what was cached", f"{took_seconds:.0f} s")
    found = images.unportable_instructions()
    expect(found == 0, "Annoy has no instruction of AVX2, FMA, BMI2 or AVX-512")
    # That it would be found is shown by this machine's own Annoy, which is compiled for its processor.
    native = images.count_unportable(Path(str(util.find_spec("annoy.annoylib").origin)))  # type: ignore[union-attr] # it is installed
    report.add(
        "instructions of Annoy that not every processor has", f"0 (compiled for this machine alone: {native})"
    )


def _stack(report: Report, home: Path) -> None:
    nothing, ratings = home / "nothing", home / "ratings"
    for directory in (nothing, ratings):
        directory.mkdir()
    wheel = Path(str(metadata.distribution("recbole").locate_file("recbole/dataset_example/ml-100k")))
    rebuild_grouplens_files(wheel, ratings)
    with Stack(nothing, ratings) as stack:
        first = _first_start(report, stack)
        _ask(stack)
        monitoring.check_configuration()
        say("Monitor, under load")
        with Prometheus(home / "prometheus", stack.address) as prometheus:
            with Load(f"http://{stack.address}") as load:
                _retrain(report, stack, first)
                _dashboard(report, prometheus)
            expect(
                not load.failures, f"no request failed in {load.rounds} rounds of load {load.failures or ''}"
            )
            report.add(
                "memory of the service with two workers, after the load",
                stack.memory(),
            )
            _break_a_bundle(report, stack, prometheus, first)
        say("Load from the profile")
        run_load = ("run", "--rm", "load", "http://127.0.0.1:8000", "--seconds", "5", "--max-error-rate", "0")
        stack.compose("--profile", "load", *run_load)
        _stop(report, stack)


def _first_start(report: Report, stack: Stack) -> str:
    say("First start, on MovieLens")
    began = time.monotonic()
    stack.compose("up", "--detach", "--no-build")
    bundle_id = stack.another_bundle(None, seconds=120)
    report.add("`up` to the first answer, training included", f"{time.monotonic() - began:.0f} s")
    began = time.monotonic()
    stack.compose("restart", "service")
    stack.another_bundle(None, seconds=120)
    report.add("restart of the service to the first answer", f"{time.monotonic() - began:.1f} s")
    return bundle_id


def _ask(stack: Stack) -> None:
    say("Ask from outside")
    recommended = stack.client.get("/recommend", params={"user_id": "42", "k": 3})
    expect(len(recommended.json()["items"]) == 3, "GET /recommend answers")
    stranger = {"history": [{"movie_id": "50", "rating": 5}], "k": 5}
    expect(
        len(stack.client.post("/recommend", json=stranger).json()["items"]) == 5, "POST /recommend answers"
    )
    asked = {"user_id": "42", "movie_id": "97"}
    for answer in (
        stack.client.get("/predict_rating", params=asked),
        stack.client.post("/predict_rating", json=asked),
    ):
        expect(
            1 <= answer.json()["predicted_rating"] <= 5, f"{answer.request.method} /predict_rating answers"
        )
    expect(stack.inside("id -u") == "10001", "the service is not root")
    refused = "touch /app/x 2>/dev/null || touch /artifacts/x 2>/dev/null || echo refused"
    expect(stack.inside(refused) == "refused", "it can write neither its files nor bundles")
    wait_for("health", lambda: stack.state("Health.Status") == "healthy" or None, seconds=60)


def _retrain(report: Report, stack: Stack, first: str) -> None:
    say("Retrain every second, on mounted ratings")
    stack.mount_ratings()
    name = f"{PROJECT}-nightly"
    run_it = ("run", "--detach", "--no-deps", "--name", name, "retrainer")
    began = time.monotonic()
    stack.compose("--profile", "retrain", *run_it, "every", "1", "--evaluate", "none", "--epochs", "5")
    try:
        second = stack.another_bundle(first, seconds=300)
        report.add("retraining with 5 epochs to the swap, under load", f"{time.monotonic() - began:.0f} s")
        third = stack.another_bundle(second, seconds=300)
        expect(len({first, second, third}) == 3, f"swapped to {second}, then to {third}")
        run("docker", "stop", "--time", "60", name)
        expect(stack.state("ExitCode", name) == "0", "the retrainer ends with 0 on SIGTERM")
    finally:
        run("docker", "rm", "--force", name)


def _dashboard(report: Report, prometheus: Prometheus) -> None:
    say("The dashboard's queries")
    queries = monitoring.dashboard_queries()
    for panel, expression in queries.items():
        expect(prometheus.query(expression), panel)
    report.add("dashboard's queries that return data under load", f"{len(queries)} of {len(queries)}")
    rules = prometheus.rules()
    expect(set(rules.values()) == {"ok"}, f"Prometheus evaluates all {len(rules)} alerts")
    [rate] = prometheus.query(
        'sum(rate(matinee_request_seconds_count{route=~"/recommend|/predict_rating"}[30s]))'
    )
    buckets = 'sum by (le) (rate(matinee_request_seconds_bucket{route=~"/recommend|/predict_rating"}[30s]))'
    [p99_seconds] = prometheus.query(f"histogram_quantile(0.99, {buckets})")
    report.add(
        "load through the published port, 8 connections, one client, while training runs beside",
        f"{rate:.0f} requests/s, p99 in the service {1000 * p99_seconds:.0f} ms, none failed",
    )


def _break_a_bundle(report: Report, stack: Stack, prometheus: Prometheus, former: str) -> None:
    say("A broken bundle")
    live = stack.live_bundle()
    stack.with_bundles(f"truncate -s 100 {former}/candidates.npy && echo {former} > CURRENT")
    wait_for("the alert", lambda: "MatineeReloadFailed" in prometheus.firing() or None, seconds=120)
    expect(stack.live_bundle() == live, "it is refused, MatineeReloadFailed fires, the live one is served on")
    stack.with_bundles(f"echo {live} > CURRENT")
    report.add(
        "CURRENT names a bundle with a truncated file",
        "refused; `MatineeReloadFailed` fires; the live one is served on",
    )


def _stop(report: Report, stack: Stack) -> None:
    say("Stop")
    began = time.monotonic()
    stack.compose("kill", "-s", "SIGTERM", "service")
    wait_for("the end", lambda: stack.state("Status") == "exited" or None, seconds=15)
    code = stack.state("ExitCode")
    expect(code == "0", "SIGTERM: exit code 0")
    report.add("SIGTERM", f"exit code {code} within {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
