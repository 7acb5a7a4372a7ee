"""The command `matinee`: which command it runs, and what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

from service_process import REPOSITORY, service_environment


def matinee(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MATINEE_")}
    return subprocess.run(
        [sys.executable, "-m", "matinee", *arguments],
        cwd=REPOSITORY,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_help_lists_commands_of_training_and_of_the_service() -> None:
    listed = matinee("--help").stdout
    for name in ("serve", "store", "fit", "evaluate", "tune", "score", "inspect", "list", "verify", "prune"):
        assert f" {name} " in listed


def test_a_misspelt_command_gets_the_nearest() -> None:
    ended = matinee("sevre")
    assert ended.returncode == 2
    assert "'serve'" in ended.stderr


def test_serving_imports_nothing_of_training() -> None:
    code = (
        "import sys; sys.argv = ['matinee', 'serve', '--check', '--port', '0', '--store', 'off']\n"
        "from matinee.command_line import main; main(); print(*sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.partition(".")[0] for name in ended.stdout.split()}
    assert "service" in loaded
    assert not loaded & {"training", "typer", "rich", "numpy", "tensorflow"}


def test_an_option_of_serve_goes_before_its_variable() -> None:
    ended = matinee("serve", "--check", "--port", "http", MATINEE_PORT="8000", MATINEE_STORE="off")
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "--port http: " in ended.stderr


def test_a_misspelt_option_of_serve_gets_the_nearest() -> None:
    ended = matinee("serve", "--prot", "8001")
    assert ended.returncode == 2
    assert "unrecognized arguments: --prot 8001; did you mean --port?" in ended.stderr


def test_keys_are_no_options_because_others_see_arguments() -> None:
    assert matinee("serve", "--api-keys", "secret").returncode == 2
    assert "MATINEE_API_KEYS" in matinee("serve", "--help").stdout


def test_a_variable_that_nothing_reads_is_refused_with_the_nearest_name() -> None:
    for command in ("serve", "list"):
        ended = matinee(command, MATINEE_WORKRES="2")
        assert ended.returncode == 2
        assert "MATINEE_WORKRES: no such variable, did you mean MATINEE_WORKERS?" in ended.stderr


def test_the_store_command_is_that_of_the_service(tmp_path: Path) -> None:
    ended = matinee("store", "forgotten", tmp_path / "none.sqlite3")
    assert ended.returncode == 1
    assert "none.sqlite3" in ended.stderr
    assert "usage: matinee store copy" in matinee("store", "copy").stderr


def test_the_module_calls_of_before_still_work() -> None:
    for module in ("training", "service", "service.live", "matinee"):
        ended = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            cwd=REPOSITORY,
            env=service_environment(REPOSITORY),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
