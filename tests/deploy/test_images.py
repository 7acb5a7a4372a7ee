"""Rules for the Dockerfile. `make test-docker` builds and runs it."""

import os
import platform
import re
import subprocess

import pytest
from service_process import REPOSITORY

from service.settings import Settings

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
COMPILER_ARGS = REPOSITORY / "deploy" / "docker" / "compiler-args"


def stage(name: str) -> str:
    [found] = re.findall(rf"^FROM \S+ AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    return str(found)


def sources() -> list[str]:
    """Paths copied from the repository."""
    copied = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in copied for source in line.split()[:-1]]


def compiler_args() -> list[str]:
    run = subprocess.run(["/bin/sh", str(COMPILER_ARGS)], check=True, capture_output=True, text=True)
    return run.stdout.strip().split(",")


def test_the_classic_builder_can_build_it() -> None:
    assert "# syntax" not in DOCKERFILE
    assert "--mount" not in DOCKERFILE
    assert "--platform" not in DOCKERFILE
    assert "<<" not in DOCKERFILE


@pytest.mark.parametrize("name", ["service", "training", "load"])
def test_the_entry_point_is_a_list_and_the_user_is_not_root(name: str) -> None:
    assert re.search(r'^ENTRYPOINT \["', stage(name), re.MULTILINE)
    assert re.findall(r"^USER (.+)$", stage(name), re.MULTILINE)[-1] == "matinee"
    assert "org.opencontainers.image.title" in stage(name)


@pytest.mark.parametrize("name", ["service", "training", "load"])
def test_packages_are_installed_before_the_code_is_copied(name: str) -> None:
    code = {"service": "service", "training": "training", "load": "benchmarks"}[name]
    installed = [match.end() for match in re.finditer("pip .*install", stage(name))]
    assert all(end < stage(name).index(f"COPY {code} {code}") for end in installed)


def test_the_image_of_the_service_has_what_object_storages_need_in_the_versions_of_service_txt() -> None:
    pins = (REPOSITORY / "requirements" / "storage.txt").read_text(encoding="utf-8").splitlines()
    of_service = (REPOSITORY / "requirements" / "service.txt").read_text(encoding="utf-8").splitlines()
    assert set(of_service) <= set(pins)
    assert any(pin.startswith("s3fs==") for pin in pins)
    assert "install --no-cache-dir --quiet -r requirements/storage.txt" in stage("build")
    cache = re.search(r"MATINEE_ARTIFACTS_CACHE=(\S+)", stage("runtime"))
    assert cache
    assert f" {cache[1]} " in stage("runtime").splitlines()[0]


def test_a_machine_of_a_ray_cluster_is_the_training_image_with_ray() -> None:
    assert "FROM training AS ray\n" in DOCKERFILE
    assert "requirements/ray-cluster.txt" in stage("ray")
    assert re.findall(r"^USER (.+)$", stage("ray"), re.MULTILINE)[-1] == "matinee"
    # `ray up` starts a shell in it, KubeRay its own commands.
    assert "ENTRYPOINT []\n" in stage("ray")


def test_copied_files_exist_and_pass_dockerignore() -> None:
    ignore = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    assert "*" in ignore
    assert sources()
    for source in sources():
        assert (REPOSITORY / source).exists(), source
        assert any(source == each or source.startswith(f"{each}/") for each in allowed), source
    assert not {"data", "artifacts", ".git"} & set(allowed)


def test_every_setting_of_the_images_exists_in_the_service() -> None:
    named = {name.lower() for name in re.findall(r"MATINEE_(\w+)=", DOCKERFILE)}
    assert named
    assert named <= set(Settings.model_fields)


def test_the_exposed_port_is_the_one_it_listens_on() -> None:
    assert re.findall(r"EXPOSE (\d+)", DOCKERFILE) == re.findall(r"MATINEE_PORT=(\d+)", DOCKERFILE)


def test_the_image_has_a_health_check() -> None:
    assert re.search(r"^HEALTHCHECK .*healthcheck\.py", stage("service"), re.MULTILINE)


def test_annoy_is_compiled_without_instructions_of_newer_processors() -> None:
    # The compiler's own macros, not our reading of its options.
    compiler = os.environ.get("CXX", "c++")
    command = [compiler, *compiler_args(), "-dM", "-E", "-x", "c++", os.devnull]
    macros = set(re.findall(r"#define (\w+)", subprocess.check_output(command, text=True)))
    assert "__OPTIMIZE__" in macros
    assert not macros & {"__AVX2__", "__FMA__", "__BMI2__", "__AVX512F__", "__ARM_FEATURE_SVE"}
    # TensorFlow's wheels for x86-64 need AVX too, so it excludes no machine.
    assert ("__AVX__" in macros) == (platform.machine() == "x86_64")


def test_the_build_of_annoy_uses_these_flags() -> None:
    assert 'ANNOY_COMPILER_ARGS="$(sh deploy/docker/compiler-args)"' in stage("build")
    assert "--no-binary annoy" in stage("build")
