"""Write a comparison with the baselines as a table of README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.errors import ConfigurationError
from training.evaluation.comparison import AGAINST, compare


def write_readme_table(readme: Path, mark: str, metrics: dict[str, Any], title: str) -> None:
    """Replace what stands between `<!-- mark -->` and `<!-- /mark -->` by the comparison.

    Args:
        readme: The file, UTF-8.
        mark: The text of the comments around the table.
        metrics: What `mean_of_runs` returned.
        title: The first cell of the header.

    Raises:
        ConfigurationError: The file has no such marks; it is not changed.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    text = readme.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ConfigurationError(f"{readme}: expected the marks {begin} and {end} around a table, got none")
    comparison = compare(metrics)
    header = [*comparison.header, AGAINST]
    lines = [[title, *header], ["---", *("---:" for _ in header)]]
    lines += [
        [
            measure,
            *(f"**{cell.text}**" if cell.best else cell.text for cell in cells),
            comparison.against[measure],
        ]
        for measure, cells in comparison.rows.items()
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    verdict = "\n".join(("", *(f"- {sentence}" for sentence in comparison.verdict)))
    readme.write_text(f"{before}{begin}\n{table}\n{verdict}\n{end}{after}", encoding="utf-8")
