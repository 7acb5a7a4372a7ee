"""Memory of one training step is kept for the next one."""

import subprocess
import sys

_STEPS, _PAGES = 20, 4096  # 16 MiB

_CODE = f"""
import resource
import training
import tensorflow as tf

def step():
    return float(tf.reduce_sum(tf.ones([{_PAGES}, 1024]) * 2.0))

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

step()
before = faults()
for _ in range({_STEPS}):
    assert step() == {2.0 * _PAGES * 1024}
print(faults() - before)
"""


def test_a_step_reuses_the_memory_of_the_one_before() -> None:
    ended = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=True)
    assert int(ended.stdout) < _STEPS * _PAGES / 4
