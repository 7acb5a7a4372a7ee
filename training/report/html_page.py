"""One HTML page for people: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Sequence

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:1rem auto;padding:0 1rem}}
h1{{font-size:1.5rem;overflow-wrap:anywhere}}
.charts,.pair{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1rem}}
div{{overflow-x:auto}}svg{{width:100%;max-width:40rem;display:block}}
table{{border-collapse:collapse;margin:1rem 0}}small{{opacity:.7}}
td,th{{padding:.2rem .6rem;border-bottom:1px solid #8888;text-align:right}}
td:first-child,th:first-child{{text-align:left;padding-left:0}}
@media(max-width:30rem){{table{{font-size:.85rem}}td,th{{padding:.2rem .35rem}}}}</style></head>
<body><h1>{title}</h1><p>{summary}</p>{body}</body></html>
"""


def page(title: str, summary: str, body: str) -> str:
    """A page; the title and the summary are text and escaped, the body is HTML already."""
    return _PAGE.format(title=html.escape(title), summary=html.escape(summary), body=body)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; cells are HTML already."""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "<div><table>" + "".join(lines) + "</table></div>"
