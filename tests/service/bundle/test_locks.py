import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from service_process import REPOSITORY

from service.bundle.locks import exclusive

HOLD = """
import sys, time
from pathlib import Path
from service.bundle.locks import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_kept_out_until_the_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        try:
            assert holder.stdout.readline() == "held\n"
            assert path.read_text(encoding="utf-8") == f"{holder.pid}\n"
            with pytest.raises(BlockingIOError), exclusive(path, wait=False):
                pass
        finally:
            holder.kill()
    with exclusive(path, wait=False):
        pass
    assert not path.exists()


def test_those_who_wait_are_let_in_one_by_one(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        for _ in range(20):
            with exclusive(tmp_path / ".lock"):
                inside.append(number)
                time.sleep(0.0005)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 80
    assert not (tmp_path / ".lock").exists()
