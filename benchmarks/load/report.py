"""Report of a load test: table, JSON, figure, HTML page."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load.samples import Columns, Samples
from benchmarks.load.summary import PERCENTILES
from benchmarks.machine import format_machine

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse }} td, th {{ padding: .2rem .8rem; text-align: right }}
td:first-child, th:first-child {{ text-align: left }} svg {{ width: 100%; height: auto }}</style></head>
<body><h1>{title}</h1><p>{machine}</p>{sentences}{table}{plot}<pre>{document}</pre></body></html>
"""

_HEADINGS = ("kind", "requests", "mean", *(f"p{percent:g}" for percent in PERCENTILES), "max, ms")


def write_report(directory: Path, document: dict[str, Any], samples: Sequence[Samples]) -> None:
    """Write `load_test.json` and, if there are latencies, `latency.png` and `latency.html`."""
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, allow_nan=False)
    (directory / "load_test.json").write_text(text + "\n", encoding="utf-8")
    if document["latency_ms"] is None:
        return
    from benchmarks.load.plot import draw, to_svg  # noqa: PLC0415  Matplotlib is slow to import

    figure = draw(Columns.of(samples), document["plan"]["seconds"], title(document))
    figure.savefig(directory / "latency.png", dpi=120)
    sentences = [*document["client"]["limits"], *(f"missed: {each}" for each in document["missed"])]
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows_of(document)
    )
    heading = "".join(f"<th>{name}</th>" for name in _HEADINGS)
    page = _PAGE.format(
        title=html.escape(title(document)),
        machine=html.escape(format_machine(document["machine"])),
        sentences="".join(f"<p><strong>{html.escape(each)}</strong></p>" for each in sentences),
        table=f"<table><tr>{heading}</tr>{rows}</table>",
        plot=to_svg(figure),
        document=html.escape(text),
    )
    (directory / "latency.html").write_text(page, encoding="utf-8")


def show(console: Console, document: dict[str, Any]) -> None:
    """Print the report."""
    table = Table(title=title(document), title_justify="left")
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    for row in rows_of(document):
        table.add_row(*row)
    console.print(table)
    for kind, count in document["errors"].items():
        console.print(f"error: {kind}: {count}", markup=False, highlight=False)
    for sentence in document["client"]["limits"]:
        console.print(f"client: {sentence}", markup=False, highlight=False)
    for sentence in document["missed"]:
        console.print(f"missed: {sentence}", markup=False, highlight=False)
    console.print(format_machine(document["machine"]), markup=False, highlight=False)


def title(document: dict[str, Any]) -> str:
    """Summarise load and result in a line."""
    plan = document["plan"]
    loop = "closed loop" if plan["rate"] is None else f"{plan['rate']:g} arrivals/s"
    return (
        f"{document['requests_per_second']:,} good answers/s, {document['error_rate']:.2%} errors: {loop}, "
        f"{plan['connections']} connections, {plan['seconds']:g} s, bundle {document['bundle_id']}"
    )


def rows_of(document: dict[str, Any]) -> list[list[str]]:
    """Format the rows of the table: all kinds together, then each."""
    kinds = {"all": document, **document["by_kind"]}
    return [
        [name, f"{each['requests']:,}", *(f"{value:.2f}" for value in each["latency_ms"].values())]
        for name, each in kinds.items()
        if each["latency_ms"] is not None
    ]
