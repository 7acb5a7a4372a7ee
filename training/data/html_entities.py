"""Characters that were escaped for HTML and never restored, as in some catalogues: 'Rock &amp; Roll'."""

from __future__ import annotations

import html
import re

# With the semicolon: without it 'AT&not' would be one too.
_ENTITY = re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]+);")


def without_entities(text: str) -> str:
    """Return text with the characters that its entities stand for."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text
