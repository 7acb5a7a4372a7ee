from pathlib import Path

import pytest

from benchmarks.page import markdown_table, replace_between


def test_only_the_text_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x -->\nold\n<!-- /x -->\nafter\n", encoding="utf-8")
    replace_between(page, "x", "new\n")
    assert page.read_text(encoding="utf-8") == "before\n<!-- x -->\nnew\n<!-- /x -->\nafter\n"


def test_a_page_without_the_marks_is_refused_and_unchanged(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- y -->\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="<!-- x -->"):
        replace_between(page, "x", "new")
    assert page.read_text(encoding="utf-8") == "<!-- y -->\n"


def test_columns_are_right_aligned_unless_the_heading_ends_in_a_colon() -> None:
    assert markdown_table(["name:", "ms"], [["a", "1"]]) == "| name | ms |\n| --- | ---: |\n| a | 1 |"
