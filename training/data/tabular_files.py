"""Open a file of any format as rows and columns."""

from __future__ import annotations

import re

from training.data.columns import TabularFile
from training.data.delimited_text import DelimitedText
from training.data.encoding import as_utf8
from training.data.folder import Folder
from training.data.json_text import JsonText, is_json
from training.data.layouts import layout_of
from training.data.parquet_file import ParquetFile, is_parquet
from training.data.sniffing import detect
from training.errors import DataError

_HEAD_BYTES = 1 << 18
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_OF_ITEM = re.compile(rb"\s*\d+:\r?\n\d+,")
_WITH_ITEM = 'awk -F, -v OFS=, \'/:$/ {item = $1; sub(":", "", item); next} {print $1, item, $2, $3}\' FILE'


def open_tabular(folder: Folder, name: str, encoding: str | None = None) -> TabularFile:
    """Open a file to read it.

    Args:
        folder: Where it is.
        name: Its name there.
        encoding: Its text's encoding, if it is known.

    Raises:
        DataError: It cannot be read, is empty, or has no columns.
    """
    return _opened(name, folder.label(name), folder.read(name), encoding, whole=True)


def peek_tabular(folder: Folder, name: str, encoding: str | None = None) -> TabularFile:
    """Open a file's beginning to see what it is.

    Raises:
        DataError: As `open_tabular`.
    """
    content = folder.read(name, _HEAD_BYTES)
    if is_parquet(content) or content.lstrip()[:1] == b"[":  # neither can be read in part
        return open_tabular(folder, name, encoding)
    whole = len(content) < _HEAD_BYTES
    if not whole:
        content = content[: content.rfind(b"\n") + 1] or content
    return _opened(name, folder.label(name), content, encoding, whole=whole)


def _opened(name: str, label: str, content: bytes, encoding: str | None, *, whole: bool) -> TabularFile:
    if is_parquet(content):
        return ParquetFile(label, content)
    text, encoded = as_utf8(label, content, encoding, whole=whole)
    if not text[: 1 << 16].strip() and not text.strip():
        raise DataError(f"{label}: expected rows, got an empty file; fetch or export it again")
    if _PAGE.match(text[:1024]):
        raise DataError(f"{label}: expected rows, got a page of HTML or XML; fetch or export the file itself")
    if _OF_ITEM.match(text[:1024]):
        reason = "expected an item in every row, got rows below lines such as '1:', as the Netflix Prize has"
        raise DataError(f"{label}: {reason}; write it into each row: {_WITH_ITEM}")
    if is_json(text):
        return JsonText(label, text, encoded)
    if layout := layout_of(name, text):
        return DelimitedText(label, text, layout.dialect, encoded, layout.fields)
    dialect = detect(text)
    if dialect is None:
        reason = "expected columns for users and items, separated by commas, tabs, semicolons, '|' or '::'"
        first = text[:60].decode("utf-8", "replace").splitlines()[0]
        raise DataError(f"{label}: {reason}, got lines such as {first!r}")
    return DelimitedText(label, text, dialect, encoded)
