"""Rules for docker-compose.yml. `make test-docker` starts it."""

import re
from typing import Any

import pytest
import yaml
from service_process import REPOSITORY

from service.settings import Settings

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("matinee-")]


def test_only_the_trainer_and_the_service_start_by_default() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {"trainer", "service"}
    profiles = {profile for service in SERVICES.values() for profile in service.get("profiles", [])}
    assert profiles == {"retrain", "monitoring", "load"}


@pytest.mark.parametrize("name", OURS)
def test_each_image_is_a_target_of_the_dockerfile(name: str) -> None:
    target = SERVICES[name]["build"]["target"]
    assert SERVICES[name]["image"] == f"matinee-{target}"
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(rf"^FROM \S+ AS {target}$", dockerfile, re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_only_tmp_and_volumes_can_be_written(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["tmpfs"] == ["/tmp"]  # noqa: S108 of the container
    assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_every_setting_in_compose_exists_in_the_service() -> None:
    for variable in SERVICES["service"]["environment"]:
        assert variable.removeprefix("MATINEE_").lower() in Settings.model_fields


def test_the_service_waits_for_training_and_only_reads_bundles() -> None:
    service = SERVICES["service"]
    assert service["depends_on"]["trainer"]["condition"] == "service_completed_successfully"
    assert "artifacts:/artifacts:ro" in service["volumes"]
    assert "artifacts:/artifacts" in SERVICES["trainer"]["volumes"]
    assert service["mem_limit"]
    assert service["restart"] == "unless-stopped"


def test_training_reads_the_store_of_the_service_and_the_retrainer_cannot_write_to_it() -> None:
    service = SERVICES["service"]
    assert "store:/store" in service["volumes"]
    assert "store:/store:ro" in SERVICES["retrainer"]["volumes"]
    for name in ("trainer", "retrainer"):
        assert SERVICES[name]["environment"]["MATINEE_STORE"] == service["environment"]["MATINEE_STORE"]


def test_the_grace_period_exceeds_the_shutdown_time_of_the_service() -> None:
    grace_seconds = int(SERVICES["service"]["stop_grace_period"].removesuffix("s"))
    assert grace_seconds > Settings.model_fields["shutdown_seconds"].default


def test_every_port_is_published_on_loopback_unless_configured_otherwise() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    for port in published:
        assert re.match(r"(127\.0\.0\.1:|\$\{MATINEE_PUBLISH:-127\.0\.0\.1:)", port)


def test_mounted_paths_of_the_repository_exist() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (REPOSITORY / source).exists(), source
            elif not source.startswith("${"):
                assert source in COMPOSE["volumes"]


def test_the_commands_of_training_exist_in_its_script() -> None:
    script = (REPOSITORY / "deploy" / "docker" / "train").read_text(encoding="utf-8")
    for name in ("trainer", "retrainer"):
        assert re.search(rf"^  {SERVICES[name]['command'][0]}\)", script, re.MULTILINE)
