import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training import pipeline
from training.cli import command_line
from training.config import TrainingConfig
from training.export import bundle_export as export


@pytest.fixture(autouse=True)
def _sigterm_as_before() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_midst_of_an_export_leaves_nothing_and_says_so(
    number: signal.Signals,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def write(directory: Path, *_: Any, **__: Any) -> None:
        directory.mkdir(parents=True)
        os.kill(os.getpid(), number)

    def fit(*_: Any, **__: Any) -> None:
        trained: Any = type("Trained", (), {"config": TrainingConfig()})()
        table: Any = type("Table", (), {"sha256": lambda _: ""})()
        export.export_bundle(trained, table, None, tmp_path)

    monkeypatch.setattr(export, "_write", write)
    monkeypatch.setattr(pipeline, "fit", fit)
    monkeypatch.setattr(sys, "argv", ["python -m training", "fit"])
    with pytest.raises(SystemExit) as left:
        command_line.main()
    assert left.value.code == code
    assert capsys.readouterr().err == "interrupted; nothing was left half-written\n"
    assert not list(tmp_path.iterdir())
