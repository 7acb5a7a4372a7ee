"""Renders the templates beside this module: all text is escaped, a name that is not given is an error."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.report.charts import Chart

_ENVIRONMENT = Environment(
    loader=PackageLoader("training.report", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(template: str, **view: Any) -> str:
    """A whole HTML page.

    Args:
        template: The name of a file, without `.html.jinja`, that extends `page.html.jinja`.
        view: What it reads; `title` and `summary` are read by all.
    """
    return _ENVIRONMENT.get_template(f"{template}.html.jinja").render(view)


def chart_svg(chart: Chart) -> str:
    """A chart alone, for a file of its own."""
    macros: Any = _ENVIRONMENT.get_template("page.html.jinja").make_module({"title": "", "summary": ""})
    return str(macros.chart(chart))
