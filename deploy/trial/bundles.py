"""Checks of bundles in a running stack: retraining, pruning, rollback, a broken bundle, an older schema."""

from __future__ import annotations

import json
import time

from deploy.trial.commands import expect, run, say, wait_for
from deploy.trial.monitoring import Prometheus
from deploy.trial.report import Report
from deploy.trial.stack import PROJECT, Stack

_KEPT = 3
"""Bundles that `matinee-train every` keeps."""


def retrain(report: Report, stack: Stack, first: str) -> None:
    """Run the retrainer every second until the first bundle is pruned.

    Raises:
        TrialFailed: A bundle is not loaded or not removed in time, or the retrainer does not stop.
    """
    say("Retrain every second, on mounted ratings")
    stack.mount_ratings()
    name = f"{PROJECT}-nightly"
    run_it = ("run", "--detach", "--no-deps", "--name", name, "retrainer")
    began = time.monotonic()
    stack.compose("--profile", "retrain", *run_it, "every", "1", "--evaluate", "none", "--epochs", "5")
    try:
        served = [first]
        while len(served) <= _KEPT:
            served.append(stack.another_bundle(*served, seconds=300))
            say(f"  swapped to {served[-1]}")
        swap_seconds = (time.monotonic() - began) / _KEPT
        source = json.loads(stack.with_bundles(f"cat {served[-1]}/manifest.json"))["dataset"]["source"]
        expect(
            source.endswith(" in data, and the store of feedback"),
            f"source of the ratings is the mount at /data, and what was posted: {source}",
        )
        report.add("retraining (5 epochs) to the swap, under load", f"{swap_seconds:.0f} s, mean of {_KEPT}")
        wait_for("removal of the oldest bundle", lambda: first not in stack.bundles() or None, seconds=60)
        expect(len(stack.bundles()) == _KEPT, f"the oldest of {len(served)} bundles was pruned")
        report.add(f"bundles after {_KEPT} retrainings", f"{_KEPT}; the first was pruned")
        run("docker", "stop", "--time", "60", name)
        code = stack.inspect(".State.ExitCode", name)
        expect(code == "0", "the retrainer exits with 0 on SIGTERM")
    finally:
        run("docker", "rm", "--force", name)


def roll_back(report: Report, stack: Stack) -> None:
    """Roll back to the previous bundle, as docs/deployment.md says.

    Raises:
        TrialFailed: The service does not follow.
    """
    newest = stack.current()
    stack.compose(
        "run", "--rm", "-T", "--entrypoint", "matinee", "trainer", "rollback", "--artifacts", "/artifacts"
    )
    previous = stack.current()
    expect(previous != newest, "CURRENT names the previous bundle")
    wait_for("the previous bundle", lambda: stack.live_bundle() == previous or None, seconds=60)
    report.add("rollback, under load", "the previous bundle is live")


def break_one(report: Report, stack: Stack, prometheus: Prometheus) -> None:
    """Truncate a file of the oldest bundle and name that one in CURRENT.

    Raises:
        TrialFailed: It is not refused, or the alert does not fire.
    """
    say("A broken bundle")
    live = stack.current()
    wait_for("the live bundle", lambda: stack.live_bundle() == live or None, seconds=60)
    oldest = stack.bundles()[0]
    expect(oldest != live, f"the oldest bundle {oldest} is not live")
    stack.with_bundles(f"truncate -s 100 {oldest}/candidates.npy && echo {oldest} > CURRENT")
    wait_for("the alert", lambda: "MatineeReloadFailed" in prometheus.firing() or None, seconds=120)
    expect(
        stack.live_bundle() == live,
        "the broken bundle is refused, MatineeReloadFailed fires, the old one stays live",
    )
    stack.with_bundles(f"echo {live} > CURRENT")
    report.add(
        "CURRENT names a bundle with a truncated file",
        "refused; `MatineeReloadFailed` fires; the old one stays live",
    )


def replace_older_ones(report: Report, stack: Stack) -> None:
    """Start a stopped stack over a valid bundle, then over bundles of another schema version.

    Raises:
        TrialFailed: It trains without need, or does not replace bundles that it cannot serve.
    """
    say("Up over a valid bundle")
    live = stack.current()
    up_seconds = _up(stack, live_is_valid=True)
    expect(stack.live_bundle() == live, "a valid bundle is not replaced")
    report.add("`up` over a valid bundle, to the first answer", f"{up_seconds:.1f} s")
    say("Up over bundles of an older release")
    stack.compose("stop", "service")
    stack.with_bundles("""sed -i 's/"schema_version": *[0-9]*/"schema_version": 0/' */manifest.json""")
    up_seconds = _up(stack, live_is_valid=False)
    expect("expected schema_version" in stack.compose("logs", "trainer"), "the trainer logs why it trains")
    expect(stack.live_bundle() not in {None, live}, "a new bundle is trained and live")
    report.add(
        "`up` over bundles of an older schema",
        f"replaced, with the reason in the log; {up_seconds:.0f} s to the first answer",
    )


def _up(stack: Stack, *, live_is_valid: bool) -> float:
    began = time.monotonic()
    stack.compose("up", "--detach", "--no-build")
    stack.another_bundle(seconds=60 if live_is_valid else 300)
    return time.monotonic() - began
