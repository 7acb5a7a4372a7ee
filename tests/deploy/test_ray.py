"""Check what starts Ray clusters against the schemas of Ray, KubeRay and Kubernetes."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from service_process import REPOSITORY

DIRECTORY = REPOSITORY / "deploy" / "ray"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load(
    (DIRECTORY / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8")
)
JOB: dict[str, Any] = yaml.safe_load(
    (DIRECTORY / "kubernetes" / "training-job.yaml").read_text(encoding="utf-8")
)
OBJECTS: list[dict[str, Any]] = [
    each
    for name in ("ratings.yaml", "schedule.yaml")
    for each in yaml.safe_load_all((DIRECTORY / "kubernetes" / name).read_text(encoding="utf-8"))
]
VERSIONS = ("1.30", "1.37")
RAY_VERSION = re.findall(
    r"^ray==(.+)$", (REPOSITORY / "requirements" / "ray.txt").read_text("utf-8"), re.MULTILINE
)


def strict(schema: Any) -> Any:
    """The same schema without fields that it does not name, as the API server refuses them when asked to."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: strict(value) for name, value in schema.items()}
    if isinstance(made.get("properties"), dict) and "type" in made:
        made.setdefault("additionalProperties", False)
    return made


RAY_JOB = strict(
    json.loads((Path(__file__).parent / "kuberay_rayjob_schema.json").read_text(encoding="utf-8"))
)


def groups() -> list[dict[str, Any]]:
    cluster = JOB["spec"]["rayClusterSpec"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def containers() -> list[dict[str, Any]]:
    return [container for group in groups() for container in group["template"]["spec"]["containers"]]


def test_the_job_fits_the_schema_of_kuberay() -> None:
    jsonschema.validate(JOB, RAY_JOB)


@pytest.mark.parametrize(
    "place", [("spec",), ("spec", "rayClusterSpec"), ("spec", "rayClusterSpec", "headGroupSpec")]
)
def test_a_misspelt_field_of_a_job_is_rejected(place: tuple[str, ...]) -> None:
    wrong = json.loads(json.dumps(JOB))
    inside = wrong
    for name in place:
        inside = inside[name]
    inside["shutdownAfterJobFinished"] = True
    with pytest.raises(jsonschema.ValidationError, match="shutdownAfterJobFinished"):
        jsonschema.validate(wrong, RAY_JOB)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("group", groups(), ids=["head", "workers"])
def test_pods_of_the_job_fit_the_schema_of_the_api(group: dict[str, Any], version: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", **group["template"]}
    kubernetes_validate.validate(pod, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", OBJECTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_every_other_manifest_fits_the_schema_of_the_api(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_is_in_the_kustomization() -> None:
    files = {path.name for path in (DIRECTORY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    [generated] = KUSTOMIZATION["configMapGenerator"]
    assert files == {*KUSTOMIZATION["resources"][1:], *generated["files"]}
    [schedule] = [each for each in OBJECTS if each["kind"] == "CronJob"]
    [job, _] = schedule["spec"]["jobTemplate"]["spec"]["template"]["spec"]["volumes"]
    assert job["configMap"]["name"] == generated["name"]


def test_the_schedule_may_create_jobs_of_ray_and_nothing_else() -> None:
    of_kind = {each["kind"]: each for each in OBJECTS}
    assert of_kind["Role"]["rules"] == [
        {"apiGroups": ["ray.io"], "resources": ["rayjobs"], "verbs": ["create"]}
    ]
    account = of_kind["ServiceAccount"]["metadata"]["name"]
    pod = of_kind["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account
    assert [each["name"] for each in of_kind["RoleBinding"]["subjects"]] == [account]
    assert "generateName" in JOB["metadata"]  # a name could be created once


def test_training_on_one_machine_is_suspended_by_its_name() -> None:
    [patch] = [yaml.safe_load(each["patch"]) for each in KUSTOMIZATION["patches"]]
    training = yaml.safe_load((REPOSITORY / "deploy/kubernetes/training.yaml").read_text(encoding="utf-8"))
    assert (patch["kind"], patch["metadata"]["name"]) == (training["kind"], training["metadata"]["name"])
    assert patch["spec"] == {"suspend": True}


def test_a_job_has_as_many_workers_as_it_trains_on_and_runs_what_is_pinned() -> None:
    [workers] = JOB["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert f"--workers {workers['replicas']} " in JOB["spec"]["entrypoint"]
    assert {workers["minReplicas"], workers["maxReplicas"]} == {workers["replicas"]}
    assert [JOB["spec"]["rayClusterSpec"]["rayVersion"]] == RAY_VERSION
    assert {each["image"].partition(":")[0] for each in containers()} == {"matinee-ray"}


def test_pods_are_confined_and_mount_claims_that_exist() -> None:
    bundles = yaml.safe_load_all((REPOSITORY / "deploy/kubernetes/bundles.yaml").read_text(encoding="utf-8"))
    claims = {
        each["metadata"]["name"] for each in [*OBJECTS, *bundles] if each["kind"] == "PersistentVolumeClaim"
    }
    for group in groups():
        spec = group["template"]["spec"]
        assert spec["securityContext"]["runAsUser"] == 10001
        mounted = [volume.get("persistentVolumeClaim") for volume in spec["volumes"]]
        assert {claim["claimName"] for claim in mounted if claim} == claims & {
            "matinee-bundles",
            "matinee-ray-ratings",
        }
    for container in containers():
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        # Ray plans with the limit: more than the request may not be there.
        assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def test_the_cluster_file_fits_the_schema_of_ray() -> None:
    ray = find_spec("ray")
    if ray is None or ray.origin is None:
        pytest.skip("Ray is not installed (pip install -r requirements/ray.txt)")
    schema = json.loads(
        (Path(ray.origin).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8")
    )
    cluster = yaml.safe_load((DIRECTORY / "cluster.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(cluster, schema)
    with pytest.raises(jsonschema.ValidationError, match="max_worker"):
        jsonschema.validate({**cluster, "max_worker": 3}, schema)
