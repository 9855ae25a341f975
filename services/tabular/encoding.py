"""Bytes to text: which encoding a file is in, and what is no text at all."""

from __future__ import annotations

import codecs

from services.errors import InvalidRequestError

UTF8, LATIN1, WINDOWS = "UTF-8", "Latin-1", "Windows-1252"
ENCODINGS = (UTF8, LATIN1, WINDOWS, "UTF-16")

_CODECS = {UTF8: "utf-8", LATIN1: "latin-1", WINDOWS: "cp1252", "UTF-16": "utf-16"}
_MARKS = ((codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_NOT_TEXT = (
    (b"PK\x03\x04", "This is an Excel workbook or a zip archive; save the table as CSV."),
    (b"\xd0\xcf\x11\xe0", "This is an Excel workbook; save the table as CSV."),
    (b"\x1f\x8b", "This file is compressed with gzip; unpack it first."),
    (b"%PDF", "This is a PDF document, not a table."),
)


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text without its byte order mark, and the name of its encoding.

    Args:
        content: The file.
        encoding: One of `ENCODINGS`; None tries UTF-8, then Windows-1252 where bytes
            are used that Latin-1 leaves to control characters, then Latin-1.

    Raises:
        InvalidRequestError: it is no text, or not in the stated encoding.
    """
    for magic, reason in _NOT_TEXT:
        if content.startswith(magic):
            raise InvalidRequestError(reason)
    found = _stated(encoding) if encoding is not None else _detected(content)
    try:
        text = content.decode(_CODECS[found])
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidRequestError(
            f"Line {line} is not {found}: byte 0x{content[error.start]:02X} has no meaning there. "
            "Choose another encoding."
        ) from error
    text = text.removeprefix("\ufeff")
    if (position := text.find("\0")) >= 0:
        line = text.count("\n", 0, position) + 1
        raise InvalidRequestError(f"Line {line} holds a zero byte: this is not a text file.")
    return text, found


def _stated(encoding: str) -> str:
    for known in ENCODINGS:
        if encoding.lower() == known.lower():
            return known
    raise InvalidRequestError(f"“{encoding}” cannot be read; choose {', '.join(ENCODINGS)}.")


def _detected(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    for encoding in (UTF8, WINDOWS):
        if encoding == WINDOWS and not _has_windows_bytes(content):
            continue
        try:
            content.decode(_CODECS[encoding])
        except UnicodeDecodeError:
            continue
        return encoding
    return LATIN1


def _has_windows_bytes(content: bytes) -> bool:
    """Bytes 0x80 to 0x9F: quotes and dashes in Windows-1252, control characters in Latin-1."""
    return len(content.translate(None, bytes(range(0x80, 0xA0)))) < len(content)
