"""What kind of file it is, told from its content and not from its name; and the reader that fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from . import aiken, gift_items, json_items, markdown, moodle, packages, qti1, qti2, safexml, tables, trivia
from .content import NotReadable, bytes_of, text_of
from .item import Item, Rejected


class Format(StrEnum):
    CSV = "csv"
    JSON = "json"
    GIFT = "gift"
    AIKEN = "aiken"
    MOODLE = "moodle"
    QTI1 = "qti1"
    QTI2 = "qti2"
    PACKAGE = "package"
    TRIVIA = "trivia"
    MARKDOWN = "markdown"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file's format, and its questions one after the other: `for found in reading`."""

    format: Format
    found: Iterator[Item | Rejected]

    def __iter__(self) -> Iterator[Item | Rejected]:
        return self.found


_READ_TEXT: dict[Format, Callable[[str], Iterator[Item | Rejected]]] = {
    Format.CSV: tables.read_table,
    Format.JSON: json_items.read_json,
    Format.GIFT: gift_items.read_gift,
    Format.AIKEN: aiken.read_aiken,
    Format.TRIVIA: trivia.read_trivia,
    Format.MARKDOWN: markdown.read_markdown,
}
_READ_BYTES: dict[Format, Callable[[bytes], Iterator[Item | Rejected]]] = {
    Format.MOODLE: moodle.read_moodle,
    Format.QTI1: qti1.read_qti1,
    Format.QTI2: qti2.read_qti2,
    Format.PACKAGE: packages.read_package,
}
_ROOTS = {"quiz": Format.MOODLE, "questestinterop": Format.QTI1, "assessmentItem": Format.QTI2}
_MEANT = {
    "manifest": "This is a package's table of contents alone: give the whole package (zip).",
    "assessmentTest": "This is a test that only lists its questions: give the whole package (zip).",
    "html": "This is a web page, not a file of questions.",
}
_ZIP = b"PK\x03\x04"


def read(stream: IO[bytes], *, format: str = "", filename: str = "") -> Reading:
    """Open a file of questions. `format`: one of Format, where the content should not decide.

    Raises NotReadable when it is none, too large, or XML that declares entities; whatever is wrong with a single
    question is yielded as Rejected. A file of a known format without one question yields nothing: the caller says so.
    """
    content = bytes_of(stream)
    if format and format not in set(Format):
        raise NotReadable(f"'{format[:40]}' is no format; use one of {', '.join(Format)}.", code="unknown_format")
    kind = Format(format) if format else format_of(content, filename=filename)
    if kind in _READ_BYTES:
        if kind is not Format.PACKAGE:
            safexml.refuse_declarations(safexml.prolog_of(content))
        return Reading(kind, _opened(_READ_BYTES[kind](content)))
    return Reading(kind, _opened(_READ_TEXT[kind](text_of(content))))


def format_of(content: bytes, *, filename: str = "") -> Format:
    """Raises NotReadable for what is no file of questions. The name decides only where the content leaves it open."""
    if content.startswith(_ZIP):
        return Format.PACKAGE
    prolog = safexml.prolog_of(content)
    is_xml = bool(re.match(rb"(?:\xef\xbb\xbf)?\s*<\?xml", content[:200]))
    if is_xml or prolog.has_declarations or prolog.root in _ROOTS or prolog.root in _MEANT:
        return _xml_format(prolog)
    if _is_binary(content[:4096]):
        raise NotReadable("This is no text, XML, JSON or zip file.", code="binary")
    return _text_format(text_of(content), filename=filename)


def _is_binary(head: bytes) -> bool:
    """A stray control character is left out; text in which every twentieth character is one is no text."""
    control = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return control > 8 and control * 20 > len(head) and head[:2] not in (b"\xff\xfe", b"\xfe\xff")


def _xml_format(prolog: safexml.Prolog) -> Format:
    safexml.refuse_declarations(prolog)
    if prolog.root == "quiz" and "canvas" in prolog.namespace:
        raise NotReadable("These are a quiz's settings, without questions: give the whole package.", code="no_quiz")
    if prolog.root in _ROOTS:
        return _ROOTS[prolog.root]
    meant = _MEANT.get(prolog.root, f"XML of the kind '{prolog.root[:40]}' holds no questions that we know.")
    raise NotReadable(meant if prolog.root else "The XML is damaged.", code="unknown_xml" if prolog.root else "damaged")


def _text_format(text: str, *, filename: str) -> Format:
    start = text.lstrip("\ufeff \t\n")
    if re.match(r"[\[{]\s*[\"{\[\]]", start):
        return Format.JSON
    if re.match(r"<!doctype html|<html", start, re.IGNORECASE):
        raise NotReadable(_MEANT["html"], code="unknown_xml")
    if trivia.is_trivia(text):
        return Format.TRIVIA
    if markdown.is_markdown(text):
        return Format.MARKDOWN
    if tables.is_table(text):
        return Format.CSV
    if aiken.is_aiken(text):
        return Format.AIKEN
    if gift_items.is_gift(text) or filename.lower().endswith(".gift"):
        return Format.GIFT
    if filename.lower().endswith(".csv"):
        return Format.CSV
    raise NotReadable(
        "The content is none of CSV, JSON, GIFT, Aiken, Moodle XML, QTI, a QTI package, OpenTrivia text or markdown "
        "questions.",
        code="unknown_format",
    )


def _opened(found: Iterator[Item | Rejected]) -> Iterator[Item | Rejected]:
    """With the first question read, so that what is wrong with the whole file is raised here and not in the loop."""
    first = next(found, None)

    def again() -> Iterator[Item | Rejected]:
        if first is not None:
            yield first
            yield from found

    return again()
