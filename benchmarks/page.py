"""Tables that scripts write into the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def replace_between(path: Path, mark: str, text: str) -> None:
    """Replaces what stands between the lines `<!-- mark -->` and `<!-- /mark -->`.

    Raises:
        SystemExit: The file lacks the marks.
    """
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    page = path.read_text(encoding="utf-8")
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"{path}: expected the lines {begin.strip()} and {end.strip()}, once each")
    before, rest = page.split(begin)
    _, after = rest.split(end)
    path.write_text(f"{before}{begin}{text.rstrip()}\n{end}{after}", encoding="utf-8")


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns stand to the right, but for those whose heading ends in a colon, which goes."""
    lines = [
        f"| {' | '.join(heading.removesuffix(':') for heading in headings)} |",
        f"| {' | '.join('---' if heading.endswith(':') else '---:' for heading in headings)} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines)
