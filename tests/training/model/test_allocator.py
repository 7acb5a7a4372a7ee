"""Each allocator in a process of its own, for it is chosen once."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from pathlib import Path
import training
from training.model.allocator import choose_allocator
import tensorflow as tf

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

tf.random.set_seed(0)
choose_allocator({table_bytes})
values = tf.fill((2**25,), 1.0)
with_values = resident()
del values
print(with_values - resident())
"""


def bytes_given_back(table_bytes: int) -> int:
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPU_ALLOCATOR_USE_BFC"}
    program = PROGRAM.format(table_bytes=table_bytes)
    command = [sys.executable, "-c", program]
    return int(subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_models_give_back_what_they_no_longer_need_and_small_ones_keep_it_for_the_next_step() -> None:
    assert bytes_given_back(2**26) >= 2**27
    assert bytes_given_back(2**26 - 1) < 2**20
