"""Execute docs/notebook.ipynb. Run as a program it writes the outputs into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service_process import REPOSITORY

NOTEBOOK = REPOSITORY / "docs" / "notebook.ipynb"
SECONDS = 1_200


def executed(directory: Path) -> dict[str, Any]:
    """Execute the notebook in a directory, by a kernel of this environment, and return it with its outputs.

    Without standard error: how long each stage takes is the machine's.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed; the message has its traceback.
    """
    import nbformat  # noqa: PLC0415  of requirements/notebook.txt
    from nbclient import NotebookClient  # noqa: PLC0415 not installed everywhere

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(directory)}}
    NotebookClient(
        notebook, timeout=SECONDS, resources=resources, record_timing=False, coalesce_streams=True
    ).execute()
    document: dict[str, Any] = json.loads(nbformat.writes(notebook))
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [each for each in cell["outputs"] if each.get("name") != "stderr"]
    document["metadata"]["language_info"] = {"name": "python"}  # no version: any will do
    return document


def _main() -> None:
    document = executed(NOTEBOOK.parent)
    NOTEBOOK.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()
