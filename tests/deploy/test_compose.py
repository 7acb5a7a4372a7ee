"""Rules for docker-compose.yml and what is laid over it. `make test-docker` starts both."""

import re
from typing import Any

import pytest
import yaml
from service_process import REPOSITORY

from service.settings import Settings

COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OVERRIDE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.override.yml").read_text("utf-8"))
REPLICAS: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.replicas.yml").read_text("utf-8"))
ADDED: dict[str, Any] = REPLICAS["services"]
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


def test_the_log_of_every_container_is_rotated() -> None:
    for name, service in {**ADDED, **SERVICES}.items():
        logging = service["logging"]
        assert logging["driver"] == "json-file", name
        assert re.fullmatch(r"\d+m", logging["options"]["max-size"]), name
        assert int(logging["options"]["max-file"]) > 1, name


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
    every = [*SERVICES.values(), *OVERRIDE["services"].values(), *ADDED.values()]
    published = [port for service in every for port in service.get("ports", [])]
    assert len(published) == 4
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


def test_the_override_that_plain_compose_reads_only_publishes_the_port() -> None:
    assert OVERRIDE == {"services": {"service": {"ports": ["${MATINEE_PUBLISH:-127.0.0.1:8000}:8000"]}}}


def test_replicas_publish_no_port_and_the_balancer_has_it() -> None:
    assert "ports" not in SERVICES["service"]
    assert "ports" not in ADDED["service"]
    assert ADDED["balancer"]["ports"] == OVERRIDE["services"]["service"]["ports"]
    balancer = (REPOSITORY / "deploy" / "balancer" / "haproxy.cfg").read_text(encoding="utf-8")
    assert "bind :8000\n" in balancer
    assert re.findall(r"server-template service \d+ (\S+)", balancer) == ["service:8000"] * 2


def test_replicas_and_training_have_one_store_whose_password_is_in_no_command_and_no_variable() -> None:
    store = "${MATINEE_STORE:-postgresql://matinee@postgres/matinee}"
    for name in ("service", "trainer", "retrainer"):
        assert ADDED[name]["environment"]["MATINEE_STORE"] == store
        assert ADDED[name]["secrets"] == ["matinee_store_password"]
        assert ADDED[name]["depends_on"]["postgres"]["condition"] == "service_healthy"
    postgres = ADDED["postgres"]
    assert postgres["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/matinee_store_password"  # noqa: S105 a path
    assert "POSTGRES_PASSWORD" not in postgres["environment"]
    assert "postgres:/var/lib/postgresql/data" in postgres["volumes"]


def test_a_replica_drains_longer_than_the_balancer_needs_to_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ADDED["service"]["environment"].items():
        if "$" not in value:
            monkeypatch.setenv(name, value)
    settings = Settings()
    balancer = (REPOSITORY / "deploy" / "balancer" / "haproxy.cfg").read_text(encoding="utf-8")
    assert "check inter 1s fastinter 200ms fall 2" in balancer  # 1.2 s
    assert settings.drain_seconds >= 2 * 1.2
    grace_seconds = int(SERVICES["service"]["stop_grace_period"].removesuffix("s"))
    assert grace_seconds > settings.drain_seconds + settings.shutdown_seconds


@pytest.mark.parametrize("name", ["balancer", "postgres"])
def test_what_is_added_is_confined_too(name: str) -> None:
    assert ADDED[name]["read_only"] is True
    assert ADDED[name]["cap_drop"] == ["ALL"]
    assert ADDED[name]["mem_limit"]
    assert re.fullmatch(r"\w+:\d+\.\d+(\.\d+)?-alpine", ADDED[name]["image"])
    for volume in ADDED[name]["volumes"]:
        source = volume.split(":")[0]
        assert source in REPLICAS["volumes"] or (REPOSITORY / source).exists()


def test_bundles_in_a_storage_are_for_training_and_the_service_alike_and_copied_to_a_volume() -> None:
    stored = yaml.safe_load((REPOSITORY / "compose.storage.yml").read_text("utf-8"))
    assert set(stored["services"]) == {"trainer", "service", "retrainer"}
    cache = re.search(r"MATINEE_ARTIFACTS_CACHE=(\S+)", (REPOSITORY / "Dockerfile").read_text("utf-8"))
    assert cache
    for service in stored["services"].values():
        assert service["volumes"] == [f"copies:{cache[1]}"]
        assert service["environment"]["MATINEE_ARTIFACTS"].startswith("${MATINEE_ARTIFACTS:?")
        # As in the shell: an empty value would be taken for a key.
        assert {value for name, value in service["environment"].items() if name.startswith("AWS_")} == {None}
