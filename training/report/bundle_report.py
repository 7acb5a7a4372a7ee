"""What a bundle says of itself to people: `report/index.html` and `report/metrics.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.errors import ConfigurationError
from training.evaluation.comparison import compare
from training.report.report_page import report_page


def write_readme_table(readme: Path, mark: str, metrics: dict[str, Any], title: str) -> None:
    """Replaces what stands between `<!-- mark -->` and `<!-- /mark -->` by the comparison, the best in bold.

    Raises:
        ConfigurationError: The file has no such marks.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    text = readme.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ConfigurationError(f"{readme}: expected the marks {begin} and {end} around a table, got none")
    comparison = compare(metrics)
    lines = [[title, *comparison.header], ["---", *("---:" for _ in comparison.header)]]
    lines += [
        [measure, *(f"**{cell.text}**" if cell.best else cell.text for cell in cells)]
        for measure, cells in comparison.rows.items()
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    verdict = "\n".join(("", *(f"- {sentence}" for sentence in comparison.verdict)))
    readme.write_text(f"{before}{begin}\n{table}\n{verdict}\n{end}{after}", encoding="utf-8")


_HEADLINE = (
    *("split", "measured_utc", "train_ratings", "test_ratings", "seed", "seeds", "fit_seconds"),
    *("model", "spread", "baselines"),
)


def headline(metrics: dict[str, Any]) -> dict[str, Any]:
    """What the manifest keeps: figures of the comparison, of other splits too; the report has everything."""
    kept = {name: metrics[name] for name in _HEADLINE if name in metrics}
    if "other_splits" in metrics:
        kept["other_splits"] = {name: headline(of) for name, of in metrics["other_splits"].items()}
    return kept


def write_report(
    directory: Path, bundle_id: str, metrics: dict[str, Any] | None, shipped: dict[str, Any]
) -> None:
    """Writes both files.

    Args:
        directory: Is created.
        bundle_id: For the title.
        metrics: What was measured, see docs/evaluation.md; None: nothing was.
        shipped: Of the training on every rating the `seed` and the `losses` by epoch.
    """
    directory.mkdir()
    document = {**(metrics or {}), "shipped": shipped}
    text = json.dumps(document, indent=2, allow_nan=False)
    (directory / "metrics.json").write_text(text + "\n", encoding="utf-8")
    (directory / "index.html").write_text(report_page(bundle_id, document), encoding="utf-8")
