"""Records of a FIEBDC-3 file, one at a time, and what its concepts are: prices, children, texts, measurements.

A record is "~", a letter, fields between "|", sub-fields between "\\". Line ends mean nothing except in texts.
Source: FIEBDC-3/2016 and 2020, Formato de Intercambio Estándar de Bases de Datos de la Construcción.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from projects.parsers.bill import ParseError
from projects.parsers.decimals import decimal_from_xml

MAX_BYTES = 256 << 20
MAX_RECORD = 8 << 20  # characters of one record: a long text, or the measurements of one position
_PIECE = 1 << 18
_START = re.compile(r"~(?=[A-Za-z]\s*\|)")
_SETS = {"ANSI": "cp1252", "850": "cp850", "437": "cp437", "UTF-8": "utf-8", "UTF8": "utf-8"}


@dataclass(frozen=True, slots=True)
class Record:
    kind: str  # its letter: "C"
    fields: tuple[str, ...]  # without the letter, not stripped
    line: int

    def field(self, index: int) -> str:
        return self.fields[index].strip() if index < len(self.fields) else ""

    def parts(self, index: int) -> list[str]:
        """The sub-fields, stripped; without the empty ones at the end."""
        found = [part.strip() for part in self.field(index).split("\\")]
        while found and not found[-1]:
            found.pop()
        return found


def character_set(first: bytes) -> tuple[str, str]:
    """(codec, what the file says): by its ~V record; 850 where it says nothing, as the format has it."""
    head = first.decode("latin-1")
    begin = head.find("~V|")
    fields = head[begin : begin + 4096].split("~", 2)[1].split("|") if begin >= 0 else []
    said = fields[5].strip().upper() if len(fields) > 5 else ""
    return _SETS.get(said, "cp1252" if said else "cp850"), said


def records(path: Path, codec: str) -> Iterator[Record]:
    """Raises ParseError("too_large")."""
    if path.stat().st_size > MAX_BYTES:
        raise ParseError(f"The BC3 file is larger than {MAX_BYTES >> 20} MB. Split the bill.", code="too_large")
    decoder = codecs.getincrementaldecoder(codec)(errors="replace")
    rest, line = "", 1
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            *whole, rest = _START.split(rest + decoder.decode(piece))
            for text in whole:
                yield from _record(text, line)
                line += text.count("\n")
            if len(rest) > MAX_RECORD:
                raise ParseError(
                    f"Line {line}: a record has more than {MAX_RECORD:,} characters; a BC3 file has none like that.",
                    code="too_large",
                )
    yield from _record(rest + decoder.decode(b"", True), line)


def _record(text: str, line: int) -> Iterator[Record]:
    kind, mark, content = text.partition("|")
    if mark and len(kind.strip()) == 1:
        yield Record(kind.strip().upper(), tuple(content.rstrip(" \t\r\n\x1a").split("|")), line)


@dataclass(slots=True)
class Measured:
    """The measurements of one position (~M, ~N): the total they state, and their lines of six sub-fields each."""

    total: Decimal | None
    lines: list[tuple[str, ...]]
    line: int


@dataclass(slots=True)
class Child:
    code: str
    factor: str
    amount: str  # "rendimiento": the quantity where there are no measurements


@dataclass(slots=True)
class Concept:
    """A chapter, a position, or what a price is made of."""

    code: str
    is_root: bool = False
    is_chapter: bool = False
    unit: str = ""
    name: str = ""
    kind: str = ""  # 0 none, 1 labour, 2 machinery, 3 material, …
    prices: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    text: str = ""
    children: list[Child] = field(default_factory=list)
    line: int = 0


@dataclass(slots=True)
class Catalogue:
    """Everything that stands in the file, by code without its marks (#, ##)."""

    concepts: dict[str, Concept] = field(default_factory=dict)
    # (parent, child) → by place within the file, so that a child named twice has its own each time
    measured: dict[tuple[str, str], dict[str, Measured]] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)  # records by kind that hold something and are not read
    replaced: int = 0  # characters that the file's character set does not have

    def concept(self, code: str) -> Concept:
        return self.concepts.setdefault(code, Concept(code))


_UNREAD = frozenset(
    "BP"
)  # changed codes, parametric concepts; the others are pictures, papers, addresses, prices' make-up
_KNOWN = frozenset("VKCDYTMNBPLQJGEOXAWFRHISUZ")


def take(catalogue: Catalogue, record: Record) -> None:
    """Puts one record where it belongs."""
    kind = record.kind
    catalogue.replaced += sum(part.count("\ufffd") for part in record.fields)
    if kind == "C":
        _take_concept(catalogue, record)
    elif kind in ("D", "Y"):
        children = _children(record.parts(1) or record.parts(2))
        concept = catalogue.concept(_bare(record.field(0)))
        concept.children = [*concept.children, *children] if kind == "Y" else children
    elif kind == "T":
        catalogue.concept(_bare(record.field(0))).text = "\n".join(
            part.strip() for part in record.field(1).splitlines()
        ).strip()
    elif kind in ("M", "N"):
        _take_measured(catalogue, record)
    elif kind in _UNREAD or kind not in _KNOWN:
        catalogue.unread[kind] = catalogue.unread.get(kind, 0) + 1


def _bare(code: str) -> str:
    """References may leave out the marks of root and chapters."""
    return code.strip().rstrip("#")


def _take_concept(catalogue: Catalogue, record: Record) -> None:
    codes = record.parts(0)
    if not codes:
        return
    concept = catalogue.concept(_bare(codes[0]))
    for other in codes[1:]:  # other names of the same
        catalogue.concepts.setdefault(_bare(other), concept)
    concept.is_root = codes[0].endswith("##")
    concept.is_chapter = codes[0].endswith("#") and not concept.is_root
    concept.unit, concept.name = record.field(1), " ".join(record.field(2).split())
    concept.prices, concept.dates = tuple(record.parts(3)), tuple(record.parts(4))
    concept.kind, concept.line = record.field(5), record.line


def _children(parts: list[str]) -> list[Child]:
    """Threes of code, factor, amount."""
    padded = [*parts, "", ""]
    triples = (padded[at : at + 3] for at in range(0, len(parts), 3))
    return [Child(_bare(code), factor, amount) for code, factor, amount in triples if code]


def _take_measured(catalogue: Catalogue, record: Record) -> None:
    codes = record.field(0).split("\\")
    parent, child = (_bare(codes[0]), _bare(codes[1])) if len(codes) > 1 else ("", _bare(codes[0]))
    parts = [part.strip() for part in record.field(3).split("\\")]
    lines = [tuple([*parts[at : at + 6], *[""] * 6][:6]) for at in range(0, len(parts), 6)]
    lines = [line for line in lines if any(line)]
    found = Measured(figure(record.field(2)), lines, record.line)
    places = catalogue.measured.setdefault((parent, child), {})
    place = "\\".join(record.parts(1))
    before = places.get(place)
    if record.kind == "N" and before is not None:
        total = (before.total or Decimal(0)) + (found.total or Decimal(0))
        found = Measured(total, [*before.lines, *found.lines], before.line)
    places[place] = found


def figure(text: str) -> Decimal | None:
    """A figure with a decimal point (some programs write a comma). None for nothing, or for what is none."""
    try:
        return decimal_from_xml(text.replace(",", "."))
    except ValueError:
        return None


def day_of(text: str) -> date | None:
    """DDMMYYYY, DDMMYY or MMYY; years from 80 are of the last century, as the format has it."""
    digits = text.strip()
    if not digits.isdecimal() or not 3 <= len(digits) <= 8 or not int(digits):
        return None
    digits = digits.zfill(len(digits) + len(digits) % 2)
    if len(digits) == 4:
        digits = f"01{digits}"
    day, month, year = int(digits[:2]) or 1, int(digits[2:4]) or 1, int(digits[4:])
    if len(digits) == 6:
        year += 1900 if year >= 80 else 2000
    try:
        return date(year, month, day)
    except ValueError:
        return None
