"""No code path reads pickles or other formats that can run code."""

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from service_process import REPOSITORY

from service.bundle.array_files import open_array
from service.errors import BundleError

SOURCES = sorted(
    path for package in ("service", "training", "benchmarks") for path in (REPOSITORY / package).rglob("*.py")
)
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_unsafe_deserializer_is_imported_or_allowed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not UNSAFE_MODULES & {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.partition(".")[0] not in UNSAFE_MODULES
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"np.load", "np.save", "np.savez"}:
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert options.get("allow_pickle", "False") == "False"  # numpy's default
        elif isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in {"eval", "exec", "yaml.load", "np.fromfile"}


def test_an_array_that_is_a_pickle_is_refused(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (ran,)

    path = tmp_path / "trap.npy"
    np.save(path, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(BundleError):
        open_array(path, np.float32, dimensions=1)
    assert not ran.exists()
