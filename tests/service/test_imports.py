"""What is imported at run time. Which module may import which: `lint-imports`, its contracts in pyproject."""

import subprocess
import sys

from service_process import REPOSITORY

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
    "service.bundle.tensorflow_import",
    "service.errors",
}


def imported_by(module: str) -> set[str]:
    """The top-level packages in a fresh process that imported only this module, `service.*` whole."""
    code = f"import sys, importlib; importlib.import_module({module!r}); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    return {name if name.startswith("service.") else name.partition(".")[0] for name in ended.stdout.split()}


def test_which_bundle_is_live_and_whole_is_known_with_the_standard_library_only() -> None:
    for module in STANDARD_LIBRARY_ONLY:
        others = imported_by(module) - set(sys.stdlib_module_names) - STANDARD_LIBRARY_ONLY
        assert {name for name in others if not name.startswith("_")} <= {"service", "sitecustomize"}


def test_the_command_sets_threads_before_numpy_is_imported() -> None:
    assert not imported_by("service.__main__") & {"numpy", "fastapi", "tensorflow"}


def test_the_service_starts_without_tensorflow_and_without_training() -> None:
    loaded = imported_by("service.processes.server") | imported_by("service.processes.supervisor")
    assert "service.app" in loaded
    assert not loaded & {"tensorflow", "keras", "training", "tensorflow_datasets", "pyarrow", "httpx"}
