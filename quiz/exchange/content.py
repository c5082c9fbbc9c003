"""A file's bytes, at most so many, and its text whatever the encoding."""

from __future__ import annotations

import codecs
from typing import IO

MAX_BYTES = 64 * 1024 * 1024
_PIECE = 1024 * 1024
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class NotReadable(ValueError):
    """No file of questions, or one that is refused; `code` says why for programs, the message for people."""

    def __init__(self, message: str, *, code: str = "not_readable") -> None:
        super().__init__(message)
        self.code = code


def bytes_of(stream: IO[bytes], *, most: int = MAX_BYTES) -> bytes:
    """Raises NotReadable for an empty file, and for one beyond `most` after reading no more than that."""
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > most:
            raise NotReadable(
                f"The file is larger than {most // (1024 * 1024)} MB. Split it, or leave pictures out of it.",
                code="too_large",
            )
        pieces.append(piece)
    content = b"".join(pieces)
    if not content.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise NotReadable("The file is empty.", code="empty")
    return content


def text_of(content: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows-1252 (of which latin-1 is a part); NUL characters are left out."""
    encoding = next((name for bom, name in _BOMS.items() if content.startswith(bom)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("cp1252" if encoding == "utf-8" else encoding, "replace")
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
