"""Run specialists in the environment that `make install-baselines` builds.

SASRec's packages cannot be installed beside those of training: RecTools needs attrs below 24, and NumPy below
2 on Python 3.11 and 3.12.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from training.errors import BaselineError, ConfigurationError
from training.evaluation.baselines.exchange import Answer, Task, load_answer

_REPOSITORY = Path(__file__).resolve().parents[3]
_ENVIRONMENT = _REPOSITORY / ".venv-baselines"
# implicit has its own threads, which compete with those of OpenBLAS. PyTorch's spin while they wait: on
# shared cores SASRec did not finish in 15 minutes; with one thread an epoch takes 5 s of CPU.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_PACKAGES = {
    "ials": ("implicit", "scipy"),
    "svd": ("surprise",),
    "sasrec": ("pandas", "pytorch_lightning", "rectools", "torch"),
}
_OPTIONAL = {"sasrec"}


@dataclass(frozen=True)
class Environment:
    """An interpreter that has specialists' packages.

    Attributes:
        python: Its path.
        specialists: Modules of this package that it can run.
    """

    python: Path
    specialists: tuple[str, ...]


def find_environment(directory: Path = _ENVIRONMENT) -> Environment:
    """Find the interpreter that has the specialists' packages; those of SASRec may be missing.

    Raises:
        ConfigurationError: Others are not installed.
    """
    python = directory / "bin" / "python"
    names = [name for packages in _PACKAGES.values() for name in packages]
    found = set()
    if python.exists():
        code = f"from importlib.util import find_spec; print(*(name for name in {names} if find_spec(name)))"
        ended = subprocess.run(  # noqa: S603 our own code
            [python, "-c", code], capture_output=True, text=True, check=False
        )
        found = set(ended.stdout.split()) if ended.returncode == 0 else set()
    missing = {name: sorted(set(packages) - found) for name, packages in _PACKAGES.items()}
    required = [package for name in missing if name not in _OPTIONAL for package in missing[name]]
    if required:
        raise ConfigurationError(
            f"--baselines: expected the baselines' packages in {directory.name}, missing there: "
            f"{', '.join(required)}; run `make install-baselines`"
        )
    return Environment(python, tuple(name for name in _PACKAGES if not missing[name]))


def run(python: Path, module: str, task: Task) -> Answer:
    """Run one specialist in a process of its own.

    Raises:
        BaselineError: Its process failed.
    """
    with TemporaryDirectory() as directory:
        task_path, answer_path = Path(directory) / "task.npz", Path(directory) / "answer.npz"
        task.save(task_path)
        ended = subprocess.run(  # noqa: S603 our own code
            [python, "-m", module, task_path, answer_path],
            cwd=directory,
            env=os.environ | {"PYTHONPATH": str(_REPOSITORY)} | _ONE_THREAD,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["no output"])[-1]
            raise BaselineError(
                f"{module} ended with exit code {ended.returncode}: {reason}; run `make install-baselines` "
                "again, or leave out --baselines"
            )
        return load_answer(answer_path)
