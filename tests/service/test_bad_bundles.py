"""No spoilt bundle gets through the checks, and each is refused for what is wrong with it."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bad_bundles import BAD_BUNDLES, FILES, BadBundle, make_other
from service_process import REPOSITORY, running_service, service_environment
from tiny_bundle import seal

from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.current import go_live
from service.bundle.manifest import read_manifest
from service.errors import BundleDisagrees, BundleInconsistent
from service.loading import load_recommender
from service.settings import Settings

# Root reads whatever it likes, unless it gives up these.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
WITHOUT_SETPRIV = bool(AS_ANYBODY) and shutil.which("setpriv") is None


@pytest.fixture(scope="module")
def pair(tiny_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bad`, whole as yet, and `other`."""
    directory = tmp_path_factory.mktemp("pair")
    seal(Path(shutil.copytree(tiny_artifacts / "tiny-1", directory / "bad")))
    make_other(directory / "bad")
    return directory


def test_all_files_of_the_tiny_bundle_are_spoilt_in_turn(pair: Path) -> None:
    assert set(FILES) == set(read_manifest(pair / "bad").files)


@pytest.mark.parametrize("bad", BAD_BUNDLES, ids=lambda bad: bad.name)
def test_it_is_refused_for_what_is_wrong_with_it(bad: BadBundle, pair: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(pair, tmp_path / "pair")) / "bad"
    bad.spoil(bundle)
    with pytest.raises(bad.error, match=re.escape(bad.names)) as refused:
        load_recommender(bundle, Settings())
    assert type(refused.value) is bad.error


def test_a_model_of_another_dimension_and_one_that_fails_are_refused(
    tiny_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as narrower:
        narrower.setattr("service.loading.QueryTower.width", 7)
        with pytest.raises(BundleInconsistent, match=r"model: expected query states of \d+ columns.* got 7"):
            load_recommender(tiny_artifacts / "tiny-1", Settings())

    def fail(*_: object) -> None:
        raise ValueError("indices[0] = 9 is not in [0, 9)")

    monkeypatch.setattr("service.bundle.query_tower.QueryTower.read", fail)
    with pytest.raises(BundleDisagrees, match=r"golden\.json: expected answers, got ValueError \(indices"):
        load_recommender(tiny_artifacts / "tiny-1", Settings())


@pytest.mark.skipif(WITHOUT_SETPRIV, reason="cannot give up root's right to read everything")
@pytest.mark.parametrize("unreadable", [CANDIDATES_FILE, "manifest.json", "histories", "."])
def test_what_may_not_be_read_is_named(unreadable: str, pair: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(pair / "bad", tmp_path / "bad"))
    (bundle / unreadable).chmod(0)
    command = [*AS_ANYBODY, sys.executable, "-m", "service", "--verify", str(bundle)]
    try:
        ended = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=service_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        (bundle / unreadable).chmod(0o755)
    assert ended.returncode == 1
    assert "BundleUnreadable" in ended.stderr
    assert "Permission denied" in ended.stderr
    assert str(bundle) in ended.stderr


@contextmanager
def asked_all_along(url: str) -> Iterator[list[tuple[int, str]]]:
    """Asks for recommendations without a pause; gives the status and bundle of each answer."""
    answers: list[tuple[int, str]] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not ended.is_set():
                answer = client.post("/recommend", json={"user_id": "42"})
                answers.append((answer.status_code, answer.json().get("bundle_id")))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(WITHOUT_SETPRIV, reason="cannot give up root's right to read everything")
def test_a_running_service_serves_the_old_bundle_whatever_it_is_offered(
    artifacts: Path, pair: Path, tmp_path: Path
) -> None:
    shutil.copytree(pair / "other", artifacts / "other")

    def offer(service: Any, name: str) -> dict[str, Any]:
        go_live(artifacts, name)
        key = {"X-API-Key": "operator"}
        answer: dict[str, Any] = service.client.post("/admin/reload", headers=key).json()
        return answer

    with (
        running_service(
            artifacts, tmp_path / "log", prefix=AS_ANYBODY, admin_keys="operator", reload_seconds="3600"
        ) as service,
    ):
        service.wait_until_ready()
        with asked_all_along(str(service.client.base_url)) as answers:
            for number, bad in enumerate(BAD_BUNDLES):
                bundle = Path(shutil.copytree(artifacts / "tiny-1", artifacts / f"bad-{number}"))
                seal(bundle)
                bad.spoil(bundle)
                answer = offer(service, bundle.name)
                assert answer["bundle_id"] == "tiny-1", bad.name
                assert answer["refused"]["bundle_id"] == bundle.name
                assert (answer["refused"]["error"], bad.names in answer["refused"]["detail"]) == (
                    bad.error.__name__,
                    True,
                ), bad.name
                assert service.client.get("/model").json()["refused"] == answer["refused"]
            locked = Path(shutil.copytree(artifacts / "tiny-1", artifacts / "locked"))
            seal(locked)
            (locked / CANDIDATES_FILE).chmod(0)
            assert offer(service, "locked")["refused"]["error"] == "BundleUnreadable"
            (locked / CANDIDATES_FILE).chmod(0o644)
            assert offer(service, "locked") == {"bundle_id": "locked", "refused": None}
        assert len(answers) > len(BAD_BUNDLES)
        assert set(answers) == {(200, "tiny-1"), (200, "locked")}
        assert "Traceback" not in service.log
        refusals = [json.loads(line) for line in service.log.splitlines() if "service.reloading" in line]
        assert sum(line["level"] == "warning" for line in refusals) == len(BAD_BUNDLES) + 1
