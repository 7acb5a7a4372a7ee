"""Build the images, run the Compose stack and test what docs/deployment.md promises.

Needs Docker with Compose, `prometheus`, `promtool` and `objdump`. Removes all that it starts, and
stops at the first failed check.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from importlib import metadata, util
from pathlib import Path

from deploy.trial import bundles, feedback, images, monitoring, replicas, stand_ins, stored_bundles
from deploy.trial.commands import REPOSITORY, TrialFailed, expect, run, say, wait_for
from deploy.trial.endpoint_checks import check_confinement, check_endpoints
from deploy.trial.load import Load, describe
from deploy.trial.monitoring import Prometheus
from deploy.trial.report import Report
from deploy.trial.stack import Stack
from training.data.wheel_source import rebuild_grouplens_files

MOST_BYTES = 1_400_000_000
"""Upper bound on the size of the service's image."""


def main() -> None:
    """Run every check and write the measurements into docs/deployment.md.

    Raises:
        SystemExit: 1 if a check fails.
    """
    os.chdir(REPOSITORY)
    report = Report()
    try:
        with tempfile.TemporaryDirectory() as directory:
            home = Path(directory)
            home.chmod(0o755)  # readable for the containers' user
            _images(report)
            ratings = _ratings(home)
            _stack(report, home, ratings)
            stored_bundles.check(report, ratings)
            replicas.check(report, home, ratings)
    except TrialFailed as error:
        sys.exit(f"test-docker: {error}")
    report.write()
    say(f"written to {report.path}")


def _images(report: Report) -> None:
    say("Build")
    began = time.monotonic()
    sizes = images.build()
    build_seconds = time.monotonic() - began
    expect(
        sizes["service"] <= MOST_BYTES,
        f"size of the service's image: {sizes['service'] / 1e9:.2f} GB, at most {MOST_BYTES / 1e9:.2f} GB",
    )
    report.add("images", ", ".join(f"{target} {size / 1e9:.2f} GB" for target, size in sizes.items()))
    report.add("base image within them", f"{images.base_bytes() / 1e9:.2f} GB")
    report.add("packages of the service", "; ".join(images.shed()))
    report.add("build time, with the given cache", f"{build_seconds:.0f} s")
    expect(images.users() == {"matinee"}, "no image runs as root")
    expect(not images.ratings(), "no image holds MovieLens")
    found = images.unportable_instructions()
    expect(found == 0, "no AVX2, FMA, BMI2 or AVX-512 instruction in Annoy")
    # Control: this machine's Annoy, compiled for its own processor, should have some.
    native = images.count_unportable(Path(str(util.find_spec("annoy.annoylib").origin)))  # type: ignore[union-attr] # it is installed
    report.add("non-portable instructions in Annoy", f"0 (in a build for this machine: {native})")
    report.add("images of others", "; ".join(stand_ins.provide().values()))


def _ratings(home: Path) -> Path:
    ratings = home / "ratings"
    ratings.mkdir()
    wheel = Path(str(metadata.distribution("recbole").locate_file("recbole/dataset_example/ml-100k")))
    rebuild_grouplens_files(wheel, ratings)
    return ratings


def _stack(report: Report, home: Path, ratings: Path) -> None:
    nothing = home / "nothing"
    nothing.mkdir()
    with Stack(nothing, ratings) as stack:
        first = _first_start(report, stack)
        check_endpoints(stack)
        check_confinement(report, stack)
        position = feedback.restart(report, stack)
        monitoring.check_configuration()
        report.add("`promtool` on configuration, rules and their tests", "passed")
        say("Monitoring, under load")
        with Prometheus(home / "prometheus", stack.address) as prometheus:
            with Load(f"http://{stack.address}") as load:
                bundles.retrain(report, stack, first)
                feedback.follow_recommendations(stack)
                _dashboard(report, prometheus)
                feedback.expect_trained(report, stack, position)
                bundles.roll_back(report, stack)
                feedback.expect_forgotten(stack)
            expect(
                not load.failures,
                f"no failed request in {load.rounds} rounds of load {load.failures[:1] or ''}",
            )
            report.add("memory of the service after the load, two workers", stack.memory())
            bundles.break_one(report, stack, prometheus)
        _load(report, stack)
        feedback.back_up_and_restore(report, stack, home)
        _crash(report, stack)
        _stop(report, stack)
        bundles.replace_older_ones(report, stack)


def _first_start(report: Report, stack: Stack) -> str:
    say("First start, on MovieLens")
    began = time.monotonic()
    stack.compose("up", "--detach", "--no-build")
    bundle_id = stack.another_bundle(seconds=120)
    report.add("`up` to the first answer, training included", f"{time.monotonic() - began:.0f} s")
    began = time.monotonic()
    stack.compose("restart", "service")
    stack.another_bundle(seconds=120)
    report.add("`restart service` to the first answer", f"{time.monotonic() - began:.1f} s")
    return bundle_id


def _dashboard(report: Report, prometheus: Prometheus) -> None:
    say("Dashboard queries")
    queries = monitoring.dashboard_queries()
    for panel, expression in queries.items():
        expect(prometheus.query(expression), panel)
    report.add("dashboard queries that return data under load", f"{len(queries)} of {len(queries)}")
    rules = prometheus.rules()
    expect(set(rules.values()) == {"ok"}, f"Prometheus accepts all {len(rules)} alert rules")
    expect(prometheus.query("matinee_workers") == [2.0], "two workers run")
    routes = '{route=~"/recommend|/predict_rating"}[1m]'
    [rate] = prometheus.query(f"sum(rate(matinee_request_seconds_count{routes}))")
    buckets = f"sum by (le) (rate(matinee_request_seconds_bucket{routes}))"
    [p99_seconds] = prometheus.query(f"histogram_quantile(0.99, {buckets})")
    report.add(
        "load through the published port during retraining, 8 connections, last minute",
        f"{rate:.0f} requests/s, p99 in the service {1000 * p99_seconds:.0f} ms, none failed",
    )


def _load(report: Report, stack: Stack) -> None:
    say("Load, without other work")
    options = ("--seconds", "5", "--max-error-rate", "0", "--json")
    measured = run(sys.executable, "-m", "benchmarks.load_test", f"http://{stack.address}", *options)
    report.add("load through the published port alone, 16 connections", describe(measured))
    run_load = ("run", "--rm", "-T", "load", "http://127.0.0.1:8000", *options)
    report.add("`--profile load`, 16 connections", describe(stack.compose("--profile", "load", *run_load)))


def _crash(report: Report, stack: Stack) -> None:
    say("Crash")
    # Docker does not restart containers killed through its API, so kill the process from the host.
    kill = ("docker", "run", "--rm", "--pid", "host", "--user", "0", "--entrypoint", "sh", "matinee-service")
    began = time.monotonic()
    run(*kill, "-c", f"kill -9 {stack.inspect('.State.Pid')}")
    wait_for("the restart", lambda: stack.inspect(".RestartCount") == "1" or None, seconds=30)
    stack.another_bundle(seconds=60)
    expect(stack.inspect(".State.Status") == "running", "the killed service is running again")
    report.add("SIGKILL to the next answer", f"{time.monotonic() - began:.1f} s (restart policy)")


def _stop(report: Report, stack: Stack) -> None:
    say("Stop")
    began = time.monotonic()
    stack.compose("kill", "-s", "SIGTERM", "service")
    wait_for("the end", lambda: stack.inspect(".State.Status") == "exited" or None, seconds=15)
    code = stack.inspect(".State.ExitCode")
    expect(code == "0", "exit code 0 on SIGTERM")
    report.add("SIGTERM", f"exit code {code} within {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
