"""deploy/kubernetes-postgres as kustomize builds it, and its files without."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from service_process import REPOSITORY

from service.live.opening import PASSWORD_VARIABLE, database_of

DIRECTORY = REPOSITORY / "deploy" / "kubernetes-postgres"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((DIRECTORY / "kustomization.yaml").read_text("utf-8"))
VERSIONS = ("1.30", "1.37")
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "compose.replicas.yml").read_text("utf-8"))


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


OWN = [
    each
    for name in KUSTOMIZATION["resources"]
    if name.endswith(".yaml")
    for each in documents(DIRECTORY / name)
]


@pytest.fixture(scope="module")
def built() -> list[dict[str, Any]]:
    """What is applied: the manifests of deploy/kubernetes with the patches, and those of PostgreSQL."""
    programs = {"kubectl": ["kubectl", "kustomize"], "kustomize": ["kustomize", "build"]}
    command = next((command for name, command in programs.items() if shutil.which(name)), None)
    if command is None:
        pytest.skip("neither kubectl nor kustomize is installed")
    text = subprocess.run(
        [*command, str(DIRECTORY)], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    return list(yaml.safe_load_all(text))


def the(kind: str, name: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    [found] = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod_of(workload: dict[str, Any]) -> dict[str, Any]:
    spec = workload["spec"]
    template = spec["jobTemplate"]["spec"]["template"] if workload["kind"] == "CronJob" else spec["template"]
    return dict(template)


def environment(workload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    [container] = pod_of(workload)["spec"]["containers"]
    return {each["name"]: each for each in container["env"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", OWN, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_manifest_fits_the_schema_of_the_api(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_is_in_the_kustomization_and_every_patch_has_its_object() -> None:
    patches = [each["path"] for each in KUSTOMIZATION["patches"]]
    named = {*KUSTOMIZATION["resources"], *patches} - {"../kubernetes"}
    assert {path.name for path in DIRECTORY.glob("*.yaml")} - {"kustomization.yaml"} == named
    base = [each for path in (DIRECTORY.parent / "kubernetes").glob("*.yaml") for each in documents(path)]
    known = {(each["kind"], each["metadata"]["name"]) for each in base if "metadata" in each}
    for name in patches:
        for patch in documents(DIRECTORY / name):
            assert (patch["kind"], patch["metadata"]["name"]) in known


@pytest.mark.parametrize("version", VERSIONS)
def test_what_kustomize_builds_fits_the_schema_too(built: list[dict[str, Any]], version: str) -> None:
    assert len(built) > len(OWN)
    for manifest in built:
        kubernetes_validate.validate(manifest, version, strict=True)
    assert {each["metadata"].get("namespace", "matinee") for each in built} == {"matinee"}


def test_service_and_training_have_one_store_whose_password_is_in_a_secret(
    built: list[dict[str, Any]],
) -> None:
    url = the("ConfigMap", "matinee-settings", built)["data"]["MATINEE_STORE"]
    database = database_of(url)
    assert database is not None
    assert database.name == "PostgreSQL at matinee-postgres, database matinee"
    the("Service", "matinee-postgres", built)
    training = environment(the("CronJob", "matinee-training", built))
    assert training["MATINEE_STORE"]["valueFrom"]["configMapKeyRef"]["name"] == "matinee-settings"
    secret = {"name": "matinee-store", "key": "password"}
    for variables in (environment(the("Deployment", "matinee", built)), training):
        assert variables[PASSWORD_VARIABLE]["valueFrom"]["secretKeyRef"] == secret
    postgres = pod_of(the("StatefulSet", "matinee-postgres", built))["spec"]
    assert {"secretName": "matinee-store", "defaultMode": 0o440} in [
        volume.get("secret") for volume in postgres["volumes"]
    ]
    assert "password" not in url


def test_postgres_is_that_of_compose_and_takes_as_many_connections_as_there_may_be(
    built: list[dict[str, Any]],
) -> None:
    [container] = pod_of(the("StatefulSet", "matinee-postgres", built))["spec"]["containers"]
    compose = COMPOSE["services"]["postgres"]
    assert container["image"] == compose["image"]
    assert container["args"] == compose["command"]
    most = int(container["args"][-1].removeprefix("max_connections="))
    pods = the("HorizontalPodAutoscaler", "matinee", built)["spec"]["maxReplicas"]
    workers = int(the("ConfigMap", "matinee-settings", built)["data"]["MATINEE_WORKERS"])
    # One that writes, one that reads, four lent; one pod more in a roll-out, and training.
    assert most > (pods + 1) * workers * 6 + 3


def test_postgres_is_confined(built: list[dict[str, Any]]) -> None:
    spec = pod_of(the("StatefulSet", "matinee-postgres", built))["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    [container] = spec["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_service_and_training_reach_postgres_and_others_do_not(built: list[dict[str, Any]]) -> None:
    labels = {
        kind: pod_of(the(kind, name, built))["metadata"]["labels"]["app.kubernetes.io/name"]
        for kind, name in (
            ("Deployment", "matinee"),
            ("CronJob", "matinee-training"),
            ("StatefulSet", "matinee-postgres"),
        )
    }
    [ingress] = the("NetworkPolicy", "matinee-postgres", built)["spec"]["ingress"]
    [peer] = ingress["from"]
    [expression] = peer["podSelector"]["matchExpressions"]
    assert expression["key"] == "app.kubernetes.io/name"
    assert set(expression["values"]) == {labels["Deployment"], labels["CronJob"]}
    policy = the("NetworkPolicy", "matinee-service-store", built)["spec"]
    assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": labels["Deployment"]}
    [to] = policy["egress"][0]["to"]
    assert to["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": labels["StatefulSet"]}
    # Training is under no policy of outgoing connections.
    restricted = [
        each["spec"]["podSelector"]["matchLabels"] for each in built if each["kind"] == "NetworkPolicy"
    ]
    assert {"app.kubernetes.io/name": labels["CronJob"]} not in restricted
