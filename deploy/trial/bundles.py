"""Bundles in a stack that runs: new ones, one too many, a broken one, those of an older release."""

from __future__ import annotations

import json
import time

from deploy.trial.commands import expect, run, say, wait_for
from deploy.trial.monitoring import Prometheus
from deploy.trial.report import Report
from deploy.trial.stack import PROJECT, Stack

_KEPT = 3
"""By `matinee-train every`."""


def retrain(report: Report, stack: Stack, first: str) -> None:
    """Lets the retrainer run, with hardly a pause, until the first bundle is one too many.

    Raises:
        TrialFailed: A bundle is not taken up or not removed in time, or the retrainer does not stop.
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
        expect(source.endswith(" in data"), f"trained on the ratings mounted at /data: {source}")
        report.add(
            "retraining with 5 epochs to the swap, under load", f"{swap_seconds:.0f} s, mean of {_KEPT}"
        )
        wait_for("the end of the oldest", lambda: first not in stack.bundles() or None, seconds=60)
        expect(len(stack.bundles()) == _KEPT, f"the oldest of {len(served)} bundles is removed")
        report.add(f"bundles after {_KEPT} retrainings", f"{_KEPT}: `prune` removed the first")
        run("docker", "stop", "--time", "60", name)
        code = stack.inspect(".State.ExitCode", name)
        expect(code == "0", "the retrainer ends with 0 on SIGTERM")
    finally:
        run("docker", "rm", "--force", name)


def roll_back(report: Report, stack: Stack) -> None:
    """Goes back to the bundle before the live one, as docs/deployment.md says.

    Raises:
        TrialFailed: The service does not follow.
    """
    newest = stack.current()
    command = ("-m", "training", "rollback", "--artifacts", "/artifacts")
    stack.compose("run", "--rm", "-T", "--entrypoint", "python", "trainer", *command)
    former = stack.current()
    expect(former != newest, "rolled back")
    wait_for("the former bundle", lambda: stack.live_bundle() == former or None, seconds=60)
    report.add("rollback, under load", "the bundle before is served again")


def break_one(report: Report, stack: Stack, prometheus: Prometheus) -> None:
    """Cuts a file of the oldest bundle and makes that one live.

    Raises:
        TrialFailed: It is not refused, or nobody is told.
    """
    say("A broken bundle")
    live = stack.current()
    wait_for("the live bundle", lambda: stack.live_bundle() == live or None, seconds=60)
    oldest = stack.bundles()[0]
    expect(oldest != live, f"{oldest} is not the live one")
    stack.with_bundles(f"truncate -s 100 {oldest}/candidates.npy && echo {oldest} > CURRENT")
    wait_for("the alert", lambda: "MatineeReloadFailed" in prometheus.firing() or None, seconds=120)
    expect(stack.live_bundle() == live, "it is refused, MatineeReloadFailed fires, the live one is served on")
    stack.with_bundles(f"echo {live} > CURRENT")
    report.add(
        "CURRENT names a bundle with a truncated file",
        "refused; `MatineeReloadFailed` fires; the live one is served on",
    )


def replace_older_ones(report: Report, stack: Stack) -> None:
    """Brings a stopped stack up over a bundle that is well, then over bundles that are of another schema.

    Raises:
        TrialFailed: It trains where it need not, or serves nothing where it must.
    """
    say("Up again")
    live = stack.current()
    took_seconds = _up(stack, live_is_well=True)
    expect(stack.live_bundle() == live, "with a bundle that is well nothing is trained")
    report.add("`up` where there is a bundle, to the first answer", f"{took_seconds:.1f} s")
    say("Up over bundles of an older release")
    stack.compose("stop", "service")
    stack.with_bundles("""sed -i 's/"schema_version": *[0-9]*/"schema_version": 0/' */manifest.json""")
    took_seconds = _up(stack, live_is_well=False)
    expect("expected schema_version" in stack.compose("logs", "trainer"), "the trainer says why it trains")
    expect(stack.live_bundle() not in {None, live}, "a new one is trained and served")
    report.add(
        "`up` over bundles of an older schema",
        f"the trainer says so and trains; {took_seconds:.0f} s to the first answer",
    )


def _up(stack: Stack, *, live_is_well: bool) -> float:
    began = time.monotonic()
    stack.compose("up", "--detach", "--no-build")
    stack.another_bundle(seconds=60 if live_is_well else 300)
    return time.monotonic() - began
