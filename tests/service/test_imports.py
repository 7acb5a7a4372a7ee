"""Who may import what: the walls of the house."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from service_process import REPOSITORY

SERVICE_MODULES = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
    for path in (REPOSITORY / "service").rglob("*.py")
)
STANDARD_LIBRARY_ONLY = {
    "service.bundle",
    "service.bundle.checksums",
    "service.bundle.current",
    "service.bundle.disk",
    "service.bundle.golden_requests",
    "service.bundle.index_description",
    "service.bundle.json_files",
    "service.bundle.locks",
    "service.bundle.manifest",
    "service.bundle.report",
    "service.errors",
}
KNOW_HTTP = {
    "service.app",
    "service.batching.searching_threads",
    "service.http.keys",
    "service.http.openapi",
    "service.http.problems",
    "service.processes.connections",
    "service.processes.server",
    "service.telemetry.tracing",
}


def imported_by(module: str) -> set[str]:
    """The top-level packages in a fresh process that imported only this module, `service.*` whole."""
    code = f"import sys, importlib; importlib.import_module({module!r}); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    return {name if name.startswith("service.") else name.partition(".")[0] for name in ended.stdout.split()}


def imports_in(path: Path) -> set[str]:
    """Every module that a file imports anywhere, inside functions too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} if node.module != "service" else {f"service.{a.name}" for a in node.names}
    return names


def test_which_bundle_is_live_and_whole_is_known_with_the_standard_library_only() -> None:
    for module in STANDARD_LIBRARY_ONLY:
        others = imported_by(module) - set(sys.stdlib_module_names) - STANDARD_LIBRARY_ONLY
        assert {name for name in others if not name.startswith("_")} <= {"service", "sitecustomize"}


def test_the_formats_of_a_bundle_need_no_other_part_of_the_service() -> None:
    for path in sorted((REPOSITORY / "service" / "bundle").glob("*.py")):
        of_service = {name for name in imports_in(path) if name.partition(".")[0] == "service"}
        assert all(name == "service.errors" or name.startswith("service.bundle") for name in of_service), path


def test_the_command_sets_threads_before_numpy_is_imported() -> None:
    assert not imported_by("service.__main__") & {"numpy", "fastapi", "tensorflow"}


def test_the_service_starts_without_tensorflow_and_without_training() -> None:
    loaded = imported_by("service.processes.server") | imported_by("service.processes.workers")
    assert "service.app" in loaded
    assert not loaded & {"tensorflow", "keras", "training", "tensorflow_datasets", "pyarrow", "httpx"}


@pytest.mark.parametrize("module", SERVICE_MODULES)
def test_heavy_imports_stay_in_one_module(module: str) -> None:
    path = REPOSITORY / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    packages = {name.partition(".")[0] for name in imports_in(path)}
    assert "training" not in packages
    allowed = {
        "service.bundle.saved_model": {"tensorflow"},
        "service.bundle.annoy_index": {"annoy"},
        "service.bundle.usearch_index": {"usearch"},
    }
    assert packages & {"tensorflow", "keras", "annoy", "usearch"} == allowed.get(module, set())
    if module not in KNOW_HTTP and not module.startswith("service.routes"):
        assert not packages & {"fastapi", "starlette", "uvicorn", "anyio"}


def test_training_imports_of_the_service_only_bundles_and_errors() -> None:
    for path in sorted((REPOSITORY / "training").rglob("*.py")):
        of_service = {name for name in imports_in(path) if name.partition(".")[0] == "service"}
        assert all(name == "service.errors" or name.startswith("service.bundle") for name in of_service), path
