"""Checks of compose.replicas.yml: three replicas on one PostgreSQL, behind the balancer."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

from deploy.trial import feedback
from deploy.trial.commands import expect, run, say, wait_for
from deploy.trial.report import Report
from deploy.trial.stack import COMPOSE, PROJECT, Stack
from deploy.trial.use import Use

_FILES = ("docker-compose.yml", "compose.replicas.yml")
_COUNT = 3
_ASK = """
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen("http://127.0.0.1:8000" + sys.argv[1]).read().decode())
except urllib.error.HTTPError as error:
    print(error.read().decode())
"""


def check(report: Report, home: Path, ratings: Path) -> None:
    """Start replicas, use them, replace them, restart PostgreSQL, train.

    Raises:
        TrialFailed: One of that fails.
    """
    say("Replicas on PostgreSQL, behind the balancer")
    password = secrets.token_hex(24)
    file = home / "matinee_store_password"
    file.write_text(password, encoding="utf-8")
    file.chmod(0o644)
    variables = {"MATINEE_STORE_PASSWORD_FILE": str(file), "MATINEE_WORKERS": "1"}
    project = f"{PROJECT}-replicas"
    with Stack(ratings, ratings, project=project, files=_FILES, variables=variables) as stack:
        # What a whole training takes was seen with the other stack.
        stack.compose("run", "--rm", "-T", "trainer", "first", "--evaluate", "none", "--epochs", "2")
        began = time.monotonic()
        stack.compose("up", "--detach", "--no-build", "--scale", f"service={_COUNT}")
        stack.another_bundle(seconds=120)
        wait_for("all replicas", lambda: len(_healthy(stack)) == _COUNT or None, seconds=120)
        report.add(
            f"`up --scale service={_COUNT}` over a valid bundle, to all healthy",
            f"{time.monotonic() - began:.0f} s",
        )
        _post_to_one(report, stack)
        position = _forget(report, stack)
        _scraped(report, stack)
        _password_is_hidden(report, stack, password)
        _roll(report, stack)
        _restart_postgres(report, stack)
        _train(report, stack, position)
        _back_up(report, stack, home)


def _healthy(stack: Stack) -> list[str]:
    return [each for each in stack.containers() if stack.inspect(".State.Health.Status", each) == "healthy"]


def _of_each(stack: Stack, path: str) -> list[dict[str, Any]]:
    """What each replica itself answers, be it a problem."""
    ask = ("python", "-c", _ASK, path)
    return [json.loads(run("docker", "exec", each, *ask)) for each in stack.containers()]


def _post_to_one(report: Report, stack: Stack) -> None:
    for n in range(10):
        event = {"user_id": f"reader{n}", "movie_id": "50", "type": "watch"}
        stack.client.post("/feedback", json={"events": [event]}).raise_for_status()
        answers = _of_each(stack, f"/users/reader{n}/feedback")
        totals = [each.get("total") for each in answers]
        expect(
            totals == [1] * _COUNT,
            f"reader{n}: replicas have what was posted to one: {answers if None in totals else totals}",
        )
    logged = stack.compose("logs", "--no-color", "balancer")
    lines = [line.partition("{")[2] for line in logged.splitlines() if '"POST"' in line]
    servers = {json.loads("{" + line)["server"] for line in lines}
    expect(len(servers) == _COUNT, f"the balancer posted to {sorted(servers)}")
    report.add("posted to one replica, read from each, 10 times", "all have it at once")


def _forget(report: Report, stack: Stack) -> int:
    feedback.post(stack, "trial", "50", "181", "172")
    position = feedback.forget(stack)
    statuses = [each.get("status") for each in _of_each(stack, f"/users/{feedback.FORGOTTEN}")]
    expect(statuses == [404] * _COUNT, "every replica has forgotten the user")
    report.add("a user forgotten by one replica", "by all")
    return position


def _scraped(report: Report, stack: Stack) -> None:
    stack.compose("--profile", "monitoring", "up", "--detach", "--no-build", "--no-deps", "prometheus")
    query = ("exec", "-T", "prometheus", "promtool", "query", "instant", "http://127.0.0.1:9090")

    def num_up() -> bool | None:
        return stack.compose(*query, 'up{job="matinee"} == 1').count('instance="') == _COUNT or None

    wait_for("Prometheus", lambda: stack.containers("prometheus") or None, seconds=30)
    time.sleep(5)
    wait_for("all replicas in Prometheus", num_up, seconds=60)
    say(f"  Prometheus found all {_COUNT} replicas by name and scrapes each")
    report.add("replicas that Prometheus found by name", str(_COUNT))


def _password_is_hidden(report: Report, stack: Stack, password: str) -> None:
    expect(password not in run("ps", "-eo", "args", "--cols", "10000"), "no process has it as an argument")
    names = ("service", "postgres", "balancer", "trainer")
    containers = [each for name in names for each in stack.containers(name)]
    expect(password not in run("docker", "inspect", *containers), "no container has it as a variable")
    logs = stack.compose("logs", "--no-color")
    expect(password not in logs, "no log has it")
    report.add("PostgreSQL's password", "in no argument, variable of a container, or log")


def _roll(report: Report, stack: Stack) -> None:
    say("Replace the replicas one after another, in use")
    before = set(stack.containers())
    environment = stack.environment | {"COMPOSE": " ".join(COMPOSE), "COMPOSE_PROJECT_NAME": stack.project}
    began = time.monotonic()
    with Use(f"http://{stack.address}", "rolled") as use:
        run("deploy/roll", environment=environment)
    seconds = time.monotonic() - began
    expect(not use.failures, f"none of {use.requests:,} requests failed {use.failures[:3] or ''}")
    expect(not before & set(stack.containers()), "all replicas are new")
    expect(len(stack.containers()) == _COUNT, f"there are {_COUNT}")
    clicks = stack.client.get("/users/rolled/feedback").json()["clicks"]
    expect(clicks == use.clicks, f"all {clicks:,} clicks that were acknowledged are stored, each once")
    report.add(
        "`deploy/roll`, all replicas replaced under posts and questions",
        f"{seconds:.0f} s; 0 of {use.requests:,} requests failed",
    )


def _restart_postgres(report: Report, stack: Stack) -> None:
    stack.compose("restart", "postgres")

    def restored() -> bool | None:
        answer = stack.client.get("/users/trial/feedback")
        return (answer.is_success and answer.json()["total"] == 3) or None

    wait_for("what was posted", restored, seconds=60)
    feedback.expect_forgotten(stack)
    report.add("`restart postgres`", "what was posted is there, who was forgotten stays so")


def _train(report: Report, stack: Stack, position: int) -> None:
    live = stack.live_bundle()
    stack.compose("run", "--rm", "-T", "--no-deps", "trainer", "now", "--evaluate", "none", "--epochs", "2")
    stack.another_bundle(str(live), seconds=120)
    feedback.expect_trained(report, stack, position)


def _back_up(report: Report, stack: Stack, home: Path) -> None:
    backups = home / "postgres-backups"
    backups.mkdir()
    backups.chmod(0o777)
    said = stack.with_store(
        backups, "copy", "postgresql://matinee@postgres/matinee", "/backups/store.sqlite3"
    )
    expect("was copied to" in said, said.strip().splitlines()[-1])
    report.add("PostgreSQL copied to a file of SQLite, in use", "all tables")
