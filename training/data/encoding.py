"""Detect the encoding of text, and convert it to UTF-8."""

from __future__ import annotations

import codecs

from training.errors import DataError

_BYTE_ORDER_MARKS = (
    # UTF-32's begins as UTF-16's does.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {
    "ascii": "UTF-8",
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
}
_CHUNK_BYTES = 1 << 24
REPLACEMENT = "\U000f0001"
"""Stands for what is not UTF-8 in a file that otherwise is. A character of private use, for U+FFFD may be in
the file itself, where it was converted badly, and then it is text like any other."""

codecs.register_error("mark-damage", lambda error: (REPLACEMENT, getattr(error, "end", 0)))


def as_utf8(label: str, content: bytes, given: str | None = None, *, whole: bool = True) -> tuple[bytes, str]:
    """Convert text to UTF-8, without a byte order mark.

    Args:
        label: The file's name for messages.
        content: The text's bytes.
        given: The encoding, if it is known.
        whole: Whether this is all of the file, so that it does not end within a character.

    Returns:
        The text, and the encoding's name. Text that is UTF-8 but for a few bytes has `REPLACEMENT` for those.

    Raises:
        DataError: It is not text, or not in the given encoding.
    """
    encoding = given or _detected(content, whole=whole)
    name = _NAMES.get(codecs.lookup(encoding).name, encoding) if given else _NAMES[encoding]
    if encoding in {"ascii", "utf-8"} and _is_utf8(content, whole=whole):
        return _without_nulls(label, content), name
    if encoding == "utf-8-sig" and _is_utf8(content, whole=whole):
        return _without_nulls(label, content[len(codecs.BOM_UTF8) :]), name
    errors = "mark-damage" if encoding.startswith("utf-8") or not whole else "strict"
    try:
        text = content.decode(encoding, errors)
    except UnicodeDecodeError as error:
        reason = (
            f"expected {name} text, got the byte 0x{content[error.start]:02x}; say what it is with --encoding"
        )
        line = content[: error.start].count(b"\n") + 1
        raise DataError.at(label, line, reason) from None
    return _without_nulls(label, text.removeprefix("\ufeff").encode()), name


def _detected(content: bytes, *, whole: bool) -> str:
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    if marked or (marked := _without_mark(content[:4096])):
        return marked
    if content.isascii():
        return "ascii"
    if _is_utf8(content, whole=whole):
        return "utf-8"
    text = content.decode("utf-8", "mark-damage")
    num_wrong = text.count(REPLACEMENT)
    if len(text) - len(text.encode("ascii", "ignore")) >= 2 * num_wrong:
        return "utf-8"  # but for damages: bytes above 127 seldom form UTF-8 by chance
    return "cp1252" if _is_windows(content) else "latin-1"


def _without_mark(sample: bytes) -> str | None:
    """Return UTF-16's order of bytes, if the sample seems to be Latin letters in it."""
    for encoding, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        others = sample[start::2]
        if others.count(0) > 0.4 * len(others) > 0:
            return encoding
    return None


def _is_windows(content: bytes) -> bool:
    """Whether Latin text is of Windows: it has quotation marks and dashes where Latin-1 has no characters."""
    if not any(content.count(byte) for byte in range(0x80, 0xA0)):
        return False
    try:
        content.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(content: bytes, *, whole: bool) -> bool:
    """Check in chunks: text of Python takes up to four times as much memory."""
    if content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _CHUNK_BYTES):
            last = start + _CHUNK_BYTES >= len(content)
            decoder.decode(content[start : start + _CHUNK_BYTES], final=last and whole)
    except UnicodeDecodeError:
        return False
    return True


def _without_nulls(label: str, content: bytes) -> bytes:
    if b"\0" in content[:65536]:
        reason = "expected text, Parquet or JSON, got something else; export the ratings as CSV"
        raise DataError(f"{label}: {reason}")
    return content
