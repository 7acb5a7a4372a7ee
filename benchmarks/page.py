"""Tables that benchmarks write into the documentation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def run_benchmark(
    description: str, mark: str, measure: Callable[[Path, int, float], str], *, seconds: float
) -> None:
    """Run the command line of a benchmark that starts services: print its table, write it into a page.

    Args:
        description: Text of `--help`.
        mark: Mark of the table, see `replace_between`.
        measure: Function of artifacts, rounds and seconds of each run that returns Markdown.
        seconds: Default seconds of each run.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=seconds, help="seconds of each run")
    parser.add_argument("--page", type=Path, help="page whose tables are replaced")
    arguments = parser.parse_args()
    text = measure(arguments.artifacts, arguments.rounds, arguments.seconds)
    sys.stdout.write(f"{text}\n")
    if arguments.page:
        replace_between(arguments.page, mark, text)


def replace_between(path: Path, mark: str, text: str) -> None:
    """Replace the text between the lines `<!-- mark -->` and `<!-- /mark -->`.

    Raises:
        SystemExit: The file does not have both marks once.
    """
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    page = path.read_text(encoding="utf-8")
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"{path}: expected the lines {begin.strip()} and {end.strip()}, once each")
    before, rest = page.split(begin)
    _, after = rest.split(end)
    path.write_text(f"{before}{begin}{text.rstrip()}\n{end}{after}", encoding="utf-8")


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table; a column whose heading ends in a colon, which is removed, is left-aligned."""
    lines = [
        f"| {' | '.join(heading.removesuffix(':') for heading in headings)} |",
        f"| {' | '.join('---' if heading.endswith(':') else '---:' for heading in headings)} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines)
