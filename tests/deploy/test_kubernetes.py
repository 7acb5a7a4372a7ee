"""Check the manifests against the API's schemas, the images and the settings."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from service_process import REPOSITORY

from service.settings import Settings

DIRECTORY = REPOSITORY / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((DIRECTORY / "kustomization.yaml").read_text("utf-8"))
OBJECTS: list[dict[str, Any]] = [
    each
    for name in KUSTOMIZATION["resources"]
    for each in yaml.safe_load_all((DIRECTORY / name).read_text(encoding="utf-8"))
]
VERSIONS = ("1.30", "1.37")
"""Oldest and newest Kubernetes that docs/deployment.md promises."""


def the(kind: str) -> dict[str, Any]:
    [found] = [each for each in OBJECTS if each["kind"] == kind]
    return found


def service_container() -> dict[str, Any]:
    [container] = the("Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def pods() -> list[dict[str, Any]]:
    job = the("CronJob")["spec"]["jobTemplate"]["spec"]["template"]
    return [the("Deployment")["spec"]["template"], job]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_manifest_fits_the_schema_of_the_api(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_field_is_rejected() -> None:
    wrong = {**the("PodDisruptionBudget"), "spec": {"maxUnavailible": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailible"):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_file_is_in_the_kustomization() -> None:
    files = {Path(each).name for each in DIRECTORY.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


def test_every_kind_that_production_needs_exists() -> None:
    kinds = {each["kind"] for each in OBJECTS}
    assert kinds >= {
        *("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "CronJob"),
        "PersistentVolumeClaim",
    }


def test_every_setting_exists_and_is_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    data = the("ConfigMap")["data"]
    for name, value in data.items():
        assert name.removeprefix("MATINEE_").lower() in Settings.model_fields
        monkeypatch.setenv(name, value)
    settings = Settings()
    pod = the("Deployment")["spec"]["template"]["spec"]
    stop = int(service_container()["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > stop + settings.shutdown_seconds
    assert settings.workers <= int(service_container()["resources"]["limits"]["cpu"])


def test_every_selector_matches_the_pods_of_the_deployment() -> None:
    labels = the("Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        the("Deployment")["spec"]["selector"]["matchLabels"],
        the("Service")["spec"]["selector"],
        the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    assert (
        the("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]["name"]
        == the("Deployment")["metadata"]["name"]
    )


def test_claims_that_pods_mount_exist() -> None:
    claims = {each["metadata"]["name"] for each in OBJECTS if each["kind"] == "PersistentVolumeClaim"}
    for pod in pods():
        mounted = [volume.get("persistentVolumeClaim") for volume in pod["spec"]["volumes"]]
        assert {claim["claimName"] for claim in mounted if claim} <= claims


def test_probes_use_the_endpoints_of_liveness_and_readiness() -> None:
    container = service_container()
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_roll_out_keeps_old_pods_until_new_ones_are_ready() -> None:
    update = the("Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert (update["maxUnavailable"], update["maxSurge"]) == (0, 1)


@pytest.mark.parametrize("pod", pods(), ids=["service", "training"])
def test_pods_are_confined_as_in_compose(pod: dict[str, Any]) -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    [uid] = re.findall(r"--uid (\d+)", dockerfile)
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(uid)
    [container] = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"]["memory"]
    assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}  # noqa: S108 of the container


def test_images_are_those_of_the_dockerfile() -> None:
    images = [pod["spec"]["containers"][0]["image"] for pod in pods()]
    assert images == ["matinee-service", "matinee-training"]
    assert {each["name"] for each in KUSTOMIZATION["images"]} == set(images)
