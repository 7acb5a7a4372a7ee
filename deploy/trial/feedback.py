"""Checks of posted feedback in the stack: restarts, forgetting, training, backup and restore."""

from __future__ import annotations

import json
import time
from pathlib import Path

from deploy.trial.commands import TrialFailed, expect, wait_for
from deploy.trial.report import Report
from deploy.trial.stack import Stack

FORGOTTEN = "13"
"""A user of MovieLens."""
_STORE = "/store/feedback.sqlite3"


def post(stack: Stack, user_id: str, *movie_ids: str) -> None:
    """Post a rating of each movie.

    Raises:
        TrialFailed: They are not stored.
    """
    events = [{"user_id": user_id, "movie_id": each, "type": "rating", "value": 5} for each in movie_ids]
    stored = stack.client.post("/feedback", json={"events": events}).raise_for_status().json()["stored"]
    expect(stored == len(events), f"{stored} ratings of {user_id} are stored")


def num_posted(stack: Stack, user_id: str) -> int:
    """How much is stored of a user."""
    return int(stack.client.get(f"/users/{user_id}/feedback").raise_for_status().json()["total"])


def follow_recommendations(stack: Stack, times: int = 20) -> None:
    """Ask for recommendations, and post that they were shown, opened, watched and rated; once a second.

    Raises:
        TrialFailed: An event is not stored.
    """
    for _ in range(times):
        answer = (
            stack.client.get("/recommend", params={"user_id": "follower", "k": 1}).raise_for_status().json()
        )
        [item] = answer["items"]
        seen = {"user_id": "follower", "movie_id": item["movie_id"], "rank": item["rank"]}
        seen["recommendation_id"] = answer["recommendation_id"]
        events = [seen | {"type": type_} for type_ in ("impression", "click", "watch")]
        events.append(seen | {"type": "rating", "value": 4})
        stored = stack.client.post("/feedback", json={"events": events}).raise_for_status().json()["stored"]
        if stored != len(events):
            raise TrialFailed(f"expected {len(events)} stored events, got {stored}")
        time.sleep(1)


def forget(stack: Stack, user_id: str = FORGOTTEN) -> int:
    """Forget a user of the bundle; returns the position.

    Raises:
        TrialFailed: The user is still known.
    """
    expect(stack.client.get(f"/users/{user_id}").is_success, f"user {user_id} is known")
    position = stack.client.delete(f"/users/{user_id}").raise_for_status().json()["position"]
    expect_forgotten(stack, user_id)
    return int(position)


def expect_forgotten(stack: Stack, user_id: str = FORGOTTEN) -> None:
    """Check that a forgotten user is unknown to the service.

    Raises:
        TrialFailed: The user is.
    """
    expect(stack.client.get(f"/users/{user_id}").status_code == 404, f"user {user_id} is forgotten")
    source = stack.client.get("/recommend", params={"user_id": user_id}).json()["source"]
    expect(source == "popular", f"recommendations of user {user_id} are those of a cold-start user")


def restart(report: Report, stack: Stack) -> int:
    """Post, forget, restart the service; returns the position of the forgotten user.

    Raises:
        TrialFailed: Something is lost.
    """
    post(stack, "trial", "50", "181", "172")
    position = forget(stack)
    stack.compose("restart", "service")
    stack.another_bundle(seconds=120)
    expect(num_posted(stack, "trial") == 3, "ratings that were posted are there after a restart")
    expect_forgotten(stack)
    known = stack.client.get("/recommend", params={"user_id": "trial"}).json()["source"]
    expect(known == "personalized", "a user of whom ratings were posted gets personal recommendations")
    report.add("posted ratings and a forgotten user, after `restart service`", "in force")
    return position


def expect_trained(report: Report, stack: Stack, position: int) -> None:
    """See that the live bundle was trained on the store, and without who was forgotten.

    Raises:
        TrialFailed: It was not.
    """
    live = stack.current()
    # Workers and replicas take it up one after another.
    wait_for(
        "the bundle in each worker",
        lambda: all(stack.live_bundle() == live for _ in range(30)) or None,
        seconds=120,
    )
    manifest = json.loads(stack.with_bundles("cat $(cat CURRENT)/manifest.json"))
    trained = manifest["dataset"].get("store_position", -1)
    expect(trained >= position, f"the bundle was trained on the store, at position {trained}")
    found = stack.client.get("/users", params={"query": "trial"}).json()["items"]
    expect([user["user_id"] for user in found] == ["trial"], "who posted ratings is a user of the bundle")
    again = stack.client.delete(f"/users/{FORGOTTEN}").raise_for_status().json()
    expect(again["bundle_trained_without"], "who was forgotten is not in it")
    report.add("the retrained bundle", "knows who posted ratings, and not who was forgotten")


def back_up_and_restore(report: Report, stack: Stack, home: Path) -> None:
    """Back the store up, go on, lose it, and restore it as docs/live.md says.

    Raises:
        TrialFailed: What was posted before is lost, or who was forgotten since is known again.
    """
    backups = home / "backups"
    backups.mkdir()
    backups.chmod(0o777)
    post(stack, "backed-up", "50", "181")
    post(stack, "forgotten-later", "50")
    stack.with_store(backups, "copy", _STORE, "/backups/store.sqlite3")
    stack.client.delete("/users/forgotten-later").raise_for_status()
    forget(stack, "14")
    (backups / "forgotten.txt").write_text(stack.with_store(backups, "forgotten", _STORE), encoding="utf-8")

    stack.compose("stop", "service")
    remove = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "service", "-c", f"rm {_STORE}*")
    stack.compose(*remove)
    stack.with_store(backups, "copy", "/backups/store.sqlite3", _STORE)
    said = stack.with_store(backups, "forget", _STORE, "/backups/forgotten.txt")
    stack.compose("start", "service")
    wait_for("the service", stack.live_bundle, seconds=60)
    expect(num_posted(stack, "backed-up") == 2, "what was posted before the backup is restored")
    expect(num_posted(stack, "forgotten-later") == 0, "who was forgotten after the backup stays so")
    expect_forgotten(stack, "14")
    expect_forgotten(stack)
    report.add("backup under way, loss, restore", said.strip().splitlines()[-1].split(": ", 1)[1])
