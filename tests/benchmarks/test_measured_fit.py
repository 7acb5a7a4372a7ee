from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.scale.measured_fit import measure_fit

_OUTPUT = """Choose the training length ...
  epoch 4 of 9: loss 9.0  rating 0.7; held out: HR@100 0.150  NDCG@10 0.300
  epoch 5 of 9: loss 8.9  rating 0.7; held out after epoch 4: HR@100 0.150  NDCG@10 0.300
  epoch 8 of 9: loss 8.8  rating 0.7; held out: HR@100 0.170  NDCG@10 0.310
  epoch 5 of 9: loss 9.0  rating 0.7; held out: HR@100 0.160  NDCG@10 0.300
  epoch 9 of 9: loss 8.8  rating 0.7; held out: HR@100 0.140  NDCG@10 0.300
Choose the training length: 12.5 s
  epoch 3 of 3: loss 8.8  rating 0.7
Train on every rating: 3.5 s
"""
_MIB = 2**20


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for Python: runs what is written into it."""
    path = tmp_path / "python"
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def write(path: Path, program: str) -> None:
    path.write_text(f"#!{sys.base_prefix}/bin/python3\n{program}", encoding="utf-8")
    path.chmod(0o755)


def test_epochs_of_one_training_do_not_replace_those_of_another(command: Path, tmp_path: Path) -> None:
    write(command, f"print({_OUTPUT!r}, end='')")
    found = measure_fit(tmp_path, tmp_path)
    assert found.hit_rates == [{4: 0.15, 8: 0.17}, {5: 0.16, 9: 0.14}]
    assert found.stages == {"Choose the training length": 12.5, "Train on every rating": 3.5}


def test_memory_that_no_file_is_behind_is_counted_apart(command: Path, tmp_path: Path) -> None:
    (tmp_path / "mapped").write_bytes(bytes(64 * _MIB))
    write(
        command,
        f"import mmap, time\n"
        f"file = open({str(tmp_path / 'mapped')!r}, 'rb')\n"
        f"pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        f"sum(pages[::4096])\n"
        f"held = bytearray(96 * {_MIB})\n"
        f"time.sleep(1.5)\n",
    )
    found = measure_fit(tmp_path, tmp_path)
    assert 96 * _MIB < found.peak_anonymous_bytes < 130 * _MIB
    assert found.peak_bytes > found.peak_anonymous_bytes + 60 * _MIB


def test_a_command_that_fails_is_an_error(command: Path, tmp_path: Path) -> None:
    write(command, "raise SystemExit(3)")
    with pytest.raises(SystemExit, match="failed with exit code 3"):
        measure_fit(tmp_path, tmp_path)
