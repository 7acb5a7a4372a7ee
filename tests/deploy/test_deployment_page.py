"""docs/deployment.md documents the variables of Compose, the images and the manifests."""

import re

from service_process import REPOSITORY

PAGE = (REPOSITORY / "docs" / "deployment.md").read_text(encoding="utf-8")


def test_every_variable_of_compose_is_documented_with_its_default() -> None:
    files = ("compose.replicas.yml", "docker-compose.yml")  # of one in both the second has the default
    compose = "".join((REPOSITORY / file).read_text(encoding="utf-8") for file in files)
    variables = dict(re.findall(r"\$\{(MATINEE_\w+):-([^}]*)\}", compose))
    variables["MATINEE_PUBLISH"] = "127.0.0.1:8000"
    assert variables
    for name, default in variables.items():
        [row] = [line for line in PAGE.splitlines() if line.startswith("| `MATINEE") and f"`{name}`" in line]
        assert f"| `{default}` |" in row or not default


def test_every_target_and_manifest_is_named() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^FROM \S+ AS (\w+)$", dockerfile, re.MULTILINE)) - {"build", "runtime"}
    manifests = {path.name for path in (REPOSITORY / "deploy" / "kubernetes").glob("*.yaml")}
    others = {
        "compose.replicas.yml",
        "compose.storage.yml",
        "deploy/balancer/haproxy.cfg",
        "deploy/roll",
        "deploy/kubernetes-postgres",
    }
    for name in others:
        assert (REPOSITORY / name).exists()
    for name in targets | others | manifests - {"kustomization.yaml"}:
        assert f"`{name}`" in PAGE
