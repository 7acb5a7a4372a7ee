"""The wheel of the client: what is in it, installed where nothing else is, and used by an app."""

import shutil
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from service_process import REPOSITORY, running_service
from wheels import VERSIONS, Environment, build_wheel, find_python, make_environment, run

APP = Path(__file__).parent / "small_app.py"
PRINTED = "history 3\n['Twins (1988)']\n1\n"
BOUNDS = {"httpx": "0.25.0", "pydantic": "2.6.0", "tenacity": "8.2.3"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("client")
    return build_wheel(Path(shutil.copytree(REPOSITORY / "client", directory / "client")), directory)


@pytest.fixture
def url(tiny_artifacts: Path, tmp_path: Path) -> object:
    with running_service(tiny_artifacts, tmp_path / "log", store=str(tmp_path / "store.sqlite3")) as service:
        service.wait_until_ready()
        yield str(service.client.base_url)


def test_it_has_the_client_with_types_and_licence_and_loose_bounds(wheel: Path) -> None:
    with ZipFile(wheel) as opened:
        names = opened.namelist()
        [metadata] = [opened.read(name).decode() for name in names if name.endswith("METADATA")]
    modules = {f"matinee_client/{path.name}" for path in (REPOSITORY / "client/matinee_client").glob("*.py")}
    assert {name for name in names if ".dist-info/" not in name} == modules | {"matinee_client/py.typed"}
    assert any(name.endswith("/LICENSE") for name in names)
    required = [
        line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if "Requires-Dist" in line
    ]
    assert required == [f"{name}>={least.removesuffix('.0')}" for name, least in BOUNDS.items()]
    assert "Requires-Python: >=3.11\n" in metadata


def test_an_app_passes_mypy_strict_and_runs(wheel: Path, url: str, tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "environment")
    environment.install("--no-deps", "--no-index", wheel)
    environment.lend()
    use(environment, url, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_all_that_an_empty_environment_needs(
    version: str, wheel: Path, url: str, tmp_path: Path
) -> None:
    environment = make_environment(tmp_path / "environment", find_python(version))
    environment.install(wheel)
    installed = {path.name for path in environment.packages.iterdir()}
    assert not installed & {"tensorflow", "fastapi", "numpy", "annoy", "service", "training"}
    use(environment, url, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_least_versions_that_it_names_are_enough(wheel: Path, url: str, tmp_path: Path) -> None:
    environment = make_environment(tmp_path / "environment")
    environment.install(wheel, *(f"{name}=={least}" for name, least in BOUNDS.items()))
    use(environment, url, tmp_path)


def use(environment: Environment, url: str, directory: Path) -> None:
    """Check the app's types, and run it against a service, with what is installed there."""
    app = Path(shutil.copy(APP, directory / "app.py"))
    cache = directory / "mypy"
    strictly = [
        "--strict",
        "--config-file=",
        f"--cache-dir={cache}",
        "--python-executable",
        str(environment.python),
    ]
    checked = run([sys.executable, "-m", "mypy", *strictly, app], check=False)
    assert checked.stdout == "Success: no issues found in 1 source file\n"
    assert run([environment.python, app, url]).stdout == PRINTED
