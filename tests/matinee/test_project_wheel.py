"""The wheel of the project: what is in it, installed where no repository is, and its command."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest
from service_process import REPOSITORY, service_environment
from wheels import VERSIONS, Environment, build_wheel, find_python, make_environment, run

PACKAGES = ("matinee", "service", "training")
RATINGS = "user,item,rating\na,x,5\na,y,3\nb,x,4\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, project)
    for name in (*PACKAGES, "requirements"):
        shutil.copytree(REPOSITORY / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    return build_wheel(project, project / "wheels")


@contextmanager
def serving(environment: Environment, artifacts: Path, directory: Path) -> Iterator[str]:
    """Run `matinee serve` of an environment, until it says that it is ready; yield where."""
    log = directory / "serve.log"
    program = str(environment.directory / "bin" / "matinee")
    command = [program, "serve", "--port", "0", "--log-format", "text"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=service_environment(artifacts), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 60
        while "Ready: open " not in (printed := log.read_text(encoding="utf-8")):
            assert process.poll() is None, printed
            assert time.monotonic() < deadline, printed
            time.sleep(0.05)
        yield printed.splitlines()[-1].removeprefix("Ready: open ")
    finally:
        process.kill()
        process.wait()


def command(environment: Environment, *arguments: str | Path, check: bool = True) -> str:
    """Run `matinee` of an environment, and return what it printed."""
    ended = run([environment.directory / "bin" / "matinee", *arguments], check=check)
    return ended.stdout + ended.stderr


def test_it_has_every_file_of_the_packages(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert names == {
        str(path.relative_to(REPOSITORY))
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_its_command_serves_outside_of_the_repository(
    wheel: Path, tiny_artifacts: Path, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path / "environment")
    environment.install("--no-deps", "--no-index", wheel)
    environment.lend()
    assert "serve" in command(environment, "--help")
    assert "bundle" in command(environment, "list", "--artifacts", tiny_artifacts)
    with serving(environment, tiny_artifacts, tmp_path) as url:
        assert httpx.get(f"{url}/recommend?user_id=42&k=1").json()["bundle_id"] == "tiny-1"


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_environment_serves_with_it_and_trains_with_its_extra(
    version: str, wheel: Path, tiny_artifacts: Path, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path / "environment", find_python(version))
    try:
        environment.install(wheel)
        refused = command(environment, "fit", check=False)
        assert "error: matinee fit: expected serve or store, for training is not installed here" in refused
        with serving(environment, tiny_artifacts, tmp_path) as url:
            assert httpx.get(f"{url}/recommend?user_id=42&k=1").json()["bundle_id"] == "tiny-1"
        environment.install(f"{wheel}[training]")
        (tmp_path / "ratings.csv").write_text(RATINGS, encoding="utf-8")
        assert "matinee fit --data" in command(environment, "inspect", tmp_path / "ratings.csv")
        assert "golden requests answered" in command(environment, "verify", tiny_artifacts / "tiny-1")
    finally:
        shutil.rmtree(environment.directory)  # 2 GB
