"""docs/notebook.ipynb is executed, short, and still works."""

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from documented_notebook import NOTEBOOK, executed
from service_process import REPOSITORY

MISSING = [name for name in ("nbclient", "ipykernel") if find_spec(name) is None]


def code_cells(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def kinds(cell: dict[str, Any]) -> set[str]:
    """The streams and kinds of output that a cell has."""
    return {output.get("name", output["output_type"]) for output in cell["outputs"]}


def test_it_was_executed_from_top_to_bottom_without_errors() -> None:
    cells = code_cells(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert not any("error" in kinds(cell) for cell in cells)


def test_it_is_short_and_names_no_place_of_the_machine_that_executed_it() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 30_000
    assert not re.search(r"/(tmp|root|home|work|usr)/|https?://(?!127)", text)


def test_it_uses_every_function_that_the_package_has() -> None:
    source = "".join("".join(cell["source"]) for cell in code_cells(json.loads(NOTEBOOK.read_text("utf-8"))))
    import matinee  # noqa: PLC0415 imports TensorFlow

    for name in matinee.__all__:
        assert f"matinee.{name}(" in source


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed: make notebook")
def test_it_can_be_executed_again_with_the_same_kinds_of_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    shown = code_cells(json.loads(NOTEBOOK.read_text(encoding="utf-8")))
    for before, after in zip(shown, code_cells(executed(tmp_path)), strict=True):
        assert kinds(after) == kinds(before), "".join(after["source"])
    assert (tmp_path / "artifacts" / "CURRENT").is_file()
