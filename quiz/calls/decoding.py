"""A transcript's bytes as text: in which encoding, or why not."""

from __future__ import annotations

import codecs
import re

from .turns import Unreadable

MAX_BYTES = 2 * 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HEAD = 4096
# Letters of western languages, and the marks that word processors set, as Windows-1252 has them.
_WESTERN = frozenset("ÄÖÜäöüßÀÂÇÈÉÊËÎÏÔÙÛàâçèéêëîïôùûœŒÁÍÓÚÑáíóúñ¿¡ÃÕãõªºÅåØøÆæÌÒìò’‘“”„‚–—…•«»€£§°·´ \xa0")
_MOST_WESTERN = 0.2  # of a text that is written in these languages: Greek or Cyrillic bytes are nearly all high
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL refuses them


def text_of(data: bytes) -> str:
    """With \\n at the ends of lines. UTF-8, UTF-16 and UTF-32 (marked, UTF-16 unmarked too), or Windows-1252 where that
    is beyond doubt. Raises Unreadable: empty, too large, no text, another encoding."""
    if len(data) > MAX_BYTES:
        raise Unreadable(f"The transcript is larger than {MAX_BYTES // (1024 * 1024)} MB.")
    if not data.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00"):
        raise Unreadable("The file is empty.")
    text = _decoded(data)
    if "\x00" in text:
        raise Unreadable("The file holds NUL characters: it is not a transcript in text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def storable(text: str) -> str:
    """Without what a database refuses: escapes in JSON can bring it in."""
    return _UNSTORABLE.sub("", text)


def _decoded(data: bytes) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "") or _unmarked_utf16(data)
    try:
        return data.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise Unreadable(f"The file says that it is {encoding.upper()}, and is not. Save it as UTF-8.") from error
    return _western(data)


def _unmarked_utf16(data: bytes) -> str:
    """Text in western scripts is every second byte NUL then."""
    head = data[: _HEAD // 2 * 2]
    if len(head) < 4 or len(data) % 2:
        return ""
    pairs = len(head) // 2
    if head[1::2].count(0) > 0.7 * pairs and head[0::2].count(0) == 0:
        return "utf-16-le"
    if head[0::2].count(0) > 0.7 * pairs and head[1::2].count(0) == 0:
        return "utf-16-be"
    return ""


def _western(data: bytes) -> str:
    refusal = Unreadable("The file is not UTF-8, and its encoding can only be guessed. Save it as UTF-8.")
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise refusal from error
    high = [letter for letter in text if letter > "\x7f"]
    if len(high) > _MOST_WESTERN * len(text) or not _WESTERN.issuperset(high):
        raise refusal
    return text
