"""The real process on a real port."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from service_process import REPOSITORY, running_service, service_environment
from tiny_model import TinyModel, title_of
from waiting import wait_for

from service.bundle.current import CURRENT_FILE


def run(artifacts: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=REPOSITORY,
        env=service_environment(artifacts, **settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_it_waits_for_a_bundle_serves_it_and_ends_with_0_when_told(
    artifacts: Path, tmp_path: Path, tiny: TinyModel
) -> None:
    current = artifacts / CURRENT_FILE
    name = current.read_text(encoding="utf-8")
    current.unlink()
    with running_service(artifacts, tmp_path / "log", reload_seconds="0.1") as service:
        assert service.client.get("/healthz").status_code == 200
        not_ready = service.client.get("/readyz")
        assert not_ready.status_code == 503
        assert str(current) in not_ready.json()["detail"]
        assert "matinee fit" in not_ready.json()["detail"]
        assert "matinee fit" in service.log

        current.write_text(name, encoding="utf-8")
        service.wait_until_ready(bundle_id="tiny-1")
        recommended = service.client.post("/recommend", json={"user_id": "42", "k": 3}).json()
        assert [item["score"] for item in recommended["items"]] == [
            score for _, score in tiny.recommend("42")[:3]
        ]
        rated = service.client.post("/predict_rating", json={"user_id": "42", "movie_id": "m97"}).json()
        assert rated["title"] == title_of(97)
        assert rated["predicted_rating"] == pytest.approx(tiny.stars(97, "42"), abs=1e-6)
        assert service.client.get("/nowhere").status_code == 404

        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(10) == 0
        assert "Traceback" not in service.log


def test_its_start_in_text_is_stages_and_one_line_when_it_can_answer(artifacts: Path, tmp_path: Path) -> None:
    with running_service(artifacts, tmp_path / "log", log_format="text") as service:
        address = str(service.client.base_url).rstrip("/")
        wait_for(lambda: "Ready" in service.log, 60)
        assert service.client.get("/recommend?user_id=42").status_code == 200
        assert service.log.splitlines()[:4] == [
            "loading bundle tiny-1",
            f"listening on {address}",
            "bundle tiny-1 is live",
            f"Ready: open {address}",
        ]


def test_it_does_not_say_that_it_is_ready_without_a_bundle(tmp_path: Path) -> None:
    with running_service(tmp_path, tmp_path / "log") as service:
        assert service.client.get("/readyz").status_code == 503
        assert "Ready" not in service.log


def test_it_ends_with_0_on_ctrl_c_while_it_has_no_bundle(tmp_path: Path) -> None:
    with running_service(tmp_path, tmp_path / "log") as service:
        assert service.client.get("/readyz").status_code == 503
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(10) == 0
        assert "Traceback" not in service.log


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(tmp_path, port=str(port))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"127.0.0.1 port {port}: Address already in use" in ended.stderr
    assert "MATINEE_PORT" in ended.stderr


def test_check_says_whether_the_port_is_free_and_serves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(tmp_path, "--check", port=str(port)).returncode == 1
    assert run(tmp_path, "--check", port=str(port)).returncode == 0


def test_a_wrong_setting_is_one_clear_line(tmp_path: Path) -> None:
    ended = run(tmp_path, port="http")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "MATINEE_PORT=http" in ended.stderr


def test_help_lists_every_setting(tmp_path: Path) -> None:
    ended = run(tmp_path, "--help")
    assert ended.returncode == 0
    assert "MATINEE_ARTIFACTS=artifacts" in ended.stdout
    assert "MATINEE_RELOAD_SECONDS=2.0" in ended.stdout


def test_a_key_that_is_no_setting_is_not_repeated(tmp_path: Path) -> None:
    ended = run(tmp_path, "--check", admin_keys="schlüssel")
    assert ended.returncode == 2
    assert "MATINEE_ADMIN_KEYS=***: " in ended.stderr
    assert "schl" not in ended.stderr


def test_a_directory_of_secrets_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    ended = run(tmp_path, "--check", secrets=str(tmp_path / "none"))
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "MATINEE_SECRETS" in ended.stderr
