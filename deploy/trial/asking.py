"""The service asked from outside its container, and looked at from inside."""

from __future__ import annotations

from deploy.trial.commands import expect, wait_for
from deploy.trial.report import Report
from deploy.trial.stack import Stack


def ask(stack: Stack) -> None:
    """Asks both endpoints in both ways, and for the pages.

    Raises:
        TrialFailed: Something is not answered.
    """
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
    for page in ("/", "/docs", "/report"):
        answer = stack.client.get(page)
        expect(answer.is_success and "<html" in answer.text, f"GET {page} shows a page")


def check_confinement(report: Report, stack: Stack) -> None:
    """Looks whether the service's container is as confined, and as healthy, as it is said to be.

    Raises:
        TrialFailed: It is not.
    """
    expect(stack.inside("id -u") == "10001", "the service is not root")
    expect(stack.inside("grep CapEff /proc/1/status").split()[1] == "0" * 16, "it has no capability")
    expect(stack.inside("tr '\\0' ' ' < /proc/1/cmdline") == "python -m service", "it is process 1")
    for directory in ("/app", "/home/matinee", "/artifacts"):
        # The answer of a shell in the locale C.
        said = stack.inside(f"touch {directory}/x 2>&1 || :")
        expect("Read-only file system" in said, f"{directory} is read-only")
    stack.inside("touch /tmp/x && rm /tmp/x")
    wait_for("health", lambda: stack.inspect(".State.Health.Status") == "healthy" or None, seconds=60)
    report.add(
        "the service's container",
        "user 10001, no capability, all but `/tmp` read-only, `healthy` by its HEALTHCHECK",
    )
