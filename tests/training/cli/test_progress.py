import io
import re

import pytest
from rich.console import Console
from waiting import wait_for

from training.cli import progress
from training.cli.progress import stage


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(progress, "console", Console(file=written, force_terminal=terminal, width=120))
    return written


def test_off_a_terminal_a_stage_is_a_line_at_its_beginning_its_milestones_and_a_line_with_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = shown(monkeypatch, terminal=False)
    with stage("Load ratings", 3) as running:
        assert written.getvalue() == "Load ratings ...\n"
        running.advance("a note")
        running.advance("epoch 5 [of 9]", milestone=True)
        running.note("half [of it]")
    assert re.fullmatch(
        r"Load ratings \.\.\.\n  epoch 5 \[of 9\]\n    half \[of it\]\nLoad ratings: \d+\.\d s\n",
        written.getvalue(),
    )


def test_off_a_terminal_a_stage_that_says_nothing_for_long_says_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = shown(monkeypatch, terminal=False)
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.05)
    with stage("Export"):
        wait_for(lambda: written.getvalue().count("so far") >= 2, 10)
    lines = written.getvalue().splitlines()
    assert lines[0] == "Export ..."
    assert set(lines[1:-1]) == {"  Export: 0 s so far"}
    assert re.fullmatch(r"Export: \d\.\d s", lines[-1])


def test_on_a_terminal_a_stage_is_its_name_a_bar_its_share_and_the_last_note(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = shown(monkeypatch, terminal=True)
    with stage("Export", 4) as running:
        for note in ("first", "second"):
            running.advance(note)
        running.note("third")
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written.getvalue()).rpartition("Export")[2]
    assert re.search(r"50%\s+0:00:00\s+third", last)
    assert "━" in last


@pytest.mark.parametrize("terminal", [False, True])
def test_a_stage_that_fails_says_nothing_of_its_time(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    written = shown(monkeypatch, terminal=terminal)
    with pytest.raises(ValueError, match="why"), stage("Load"):
        raise ValueError("why")
    assert not re.search(r"Load: \d", written.getvalue())


def test_progress_goes_to_standard_error_and_results_to_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress.console.print("progress")
    progress.results.print("result")
    captured = capsys.readouterr()
    assert (captured.err, captured.out) == ("progress\n", "result\n")
