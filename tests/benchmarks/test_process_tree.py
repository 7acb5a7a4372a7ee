import os
import signal
import subprocess
import sys

from benchmarks.serving.process_tree import processor_ticks

_PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
input()
"""


def test_a_descendant_with_a_session_of_its_own_belongs_to_the_server() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        try:
            members = processor_ticks(server.pid)
        finally:
            os.kill(child, signal.SIGKILL)
            server.kill()
    assert members.keys() == {server.pid, child}
    assert os.getpid() not in members
