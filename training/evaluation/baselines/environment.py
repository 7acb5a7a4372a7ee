"""Run specialists in the environment that `make install-baselines` builds.

Their packages cannot be installed beside those of training: RecTools needs attrs below 24, and NumPy below 2
on Python 3.11 and 3.12.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from training.errors import BaselineError, ConfigurationError
from training.evaluation.baselines.exchange import Answer, Task, load_answer

_REPOSITORY = Path(__file__).resolve().parents[3]
_ENVIRONMENT = _REPOSITORY / ".venv-baselines"
# implicit has its own threads, which compete with those of OpenBLAS. PyTorch's spin while they wait: on
# shared cores SASRec did not finish in 15 minutes; with one thread an epoch takes 5 s of CPU.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_PACKAGES = ("implicit", "pandas", "pytorch_lightning", "rectools", "scipy", "surprise", "torch")


def environment_python(environment: Path = _ENVIRONMENT) -> Path:
    """Find the interpreter that has the specialists' packages.

    Raises:
        ConfigurationError: They are not installed.
    """
    python = environment / "bin" / "python"
    missing = ", ".join(_PACKAGES)
    if python.exists():
        code = (
            "from importlib.util import find_spec; "
            f"print(*(name for name in {_PACKAGES} if find_spec(name) is None), sep=', ')"
        )
        found = subprocess.run(  # noqa: S603 our own code
            [python, "-c", code], capture_output=True, text=True, check=False
        )
        missing = found.stdout.strip() if found.returncode == 0 else missing
    if missing:
        raise ConfigurationError(
            f"--baselines: expected the baselines' packages in {environment.name}, missing there: {missing}; "
            "run `make install-baselines`"
        )
    return python


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
