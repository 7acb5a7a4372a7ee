"""Checks of the service's endpoints from outside its container, and of its confinement from inside."""

from __future__ import annotations

from deploy.trial.commands import expect, wait_for
from deploy.trial.report import Report
from deploy.trial.stack import Stack


def check_endpoints(stack: Stack) -> None:
    """Request both prediction endpoints by GET and POST, and the pages.

    Raises:
        TrialFailed: An answer is missing or wrong.
    """
    recommended = stack.client.get("/recommend", params={"user_id": "42", "k": 3})
    expect(len(recommended.json()["items"]) == 3, "GET /recommend answers")
    cold_start = {"history": [{"movie_id": "50", "rating": 5}], "k": 5}
    expect(
        len(stack.client.post("/recommend", json=cold_start).json()["items"]) == 5, "POST /recommend answers"
    )
    pair = {"user_id": "42", "movie_id": "97"}
    for answer in (
        stack.client.get("/predict_rating", params=pair),
        stack.client.post("/predict_rating", json=pair),
    ):
        expect(
            1 <= answer.json()["predicted_rating"] <= 5, f"{answer.request.method} /predict_rating answers"
        )
    for page in ("/", "/docs", "/report"):
        answer = stack.client.get(page)
        expect(answer.is_success and "<html" in answer.text, f"GET {page} answers with HTML")


def check_confinement(report: Report, stack: Stack) -> None:
    """Check user, capabilities, read-only file systems and health of the service's container.

    Raises:
        TrialFailed: One of them is not as documented.
    """
    expect(stack.inside("id -u") == "10001", "the service runs as user 10001")
    expect(stack.inside("grep CapEff /proc/1/status").split()[1] == "0" * 16, "no capabilities")
    command = stack.inside("tr '\\0' ' ' < /proc/1/cmdline")
    expect(command == "python -m matinee serve", f"the server is process 1: {command}")
    for directory in ("/app", "/home/matinee", "/artifacts"):
        output = stack.inside(f"touch {directory}/x 2>&1 || :")
        expect("Read-only file system" in output, f"{directory} is read-only")
    stack.inside("touch /tmp/x && rm /tmp/x")
    wait_for("health", lambda: stack.inspect(".State.Health.Status") == "healthy" or None, seconds=60)
    report.add(
        "the service's container",
        "user 10001, no capabilities, all but `/tmp` read-only, `healthy` by its HEALTHCHECK",
    )
