"""Is a workbook sound: what makes a spreadsheet program warn, repair or recompute when it opens one, looked for in its
parts. Free of the code under test: reads the package by itself.

Rules: ECMA-376 part 2 (packages: content types, relationships, names of parts) and part 1, chapter 18 (SpreadsheetML).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TYPES = "[Content_Types].xml"


class Workbook:
    """An xlsx's parts, read at once, their XML parsed where asked for."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            self.listed = archive.namelist()
            self.damaged = archive.testzip()
            self.parts = {name: archive.read(name) for name in self.listed if not name.endswith("/")}

    def root(self, name: str) -> etree._Element:
        return etree.fromstring(self.parts[name], etree.XMLParser(resolve_entities=False, no_network=True))

    def relations(self, part: str) -> Iterator[tuple[str, str, str]]:
        """Id, the last word of the type, and the part pointed at: of those inside the package."""
        name = posixpath.join(posixpath.dirname(part), "_rels", posixpath.basename(part) + ".rels")
        if name not in self.parts:
            return
        for each in self.root(name):
            if each.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), each.get("Target", "")))
                yield each.get("Id", ""), each.get("Type", "").rpartition("/")[2], target.lstrip("/")

    def main(self) -> str:
        return next(target for _, kind, target in self.relations("") if kind == "officeDocument")

    def of_kind(self, wanted: str) -> str | None:
        return next((target for _, kind, target in self.relations(self.main()) if kind == wanted), None)

    def sheets(self) -> dict[str, str]:
        """Name → part."""
        targets = {identity: target for identity, _, target in self.relations(self.main())}
        found = self.root(self.main()).iter(f"{_MAIN}sheet")
        return {each.get("name", ""): targets.get(each.get(_RELATION_ID, ""), "") for each in found}


def warnings_of(path: Path) -> list[str]:
    """What a program would warn of; empty for a sound workbook."""
    book = Workbook(path)
    found = list(_package(book)) or [*_typed(book), *_related(book)]
    if found:
        return found  # the rest would only repeat it, or could not be read
    for name, part in book.sheets().items():
        found += [f"{name}: {line}" for line in _sheet(book, part)]
    return [*found, *_calc_chain(book), *_names(book)]


def changes_besides_values(before: Path, after: Path) -> list[str]:
    """What a written-back workbook lost or changed of its client's besides the values of cells: names, protection,
    formulas, styles of cells, merged cells, extent; a formula's result that is gone or an error."""
    old, new = Workbook(before), Workbook(after)
    found = [] if old.listed == new.listed else [f"parts: {sorted(set(old.listed) ^ set(new.listed))}"]
    for what in ("definedNames", "workbookProtection", "bookViews", "sheets"):
        found += _same(what, old.root(old.main()), new.root(new.main()), what)
    styles = old.of_kind("styles")
    if styles and old.parts[styles] != new.parts[styles]:
        found.append("the styles differ")
    for name, part in old.sheets().items():
        was, now = old.root(part), new.root(new.sheets()[name])
        for what in ("sheetProtection", "protectedRanges", "mergeCells", "dataValidations", "cols", "dimension"):
            found += _same(f"{name}: {what}", was, now, what)
        found += [f"{name}: {line}" for line in _cells_changed(was, now)]
    return found


def _same(label: str, was: etree._Element, now: etree._Element, tag: str) -> list[str]:
    written = [[etree.tostring(each, method="c14n") for each in root.iter(_MAIN + tag)] for root in (was, now)]
    return [] if written[0] == written[1] else [f"{label} differs"]


def _cells_changed(was: etree._Element, now: etree._Element) -> Iterator[str]:
    old, new = ({each.get("r"): each for each in root.iter(f"{_MAIN}c")} for root in (was, now))
    if gone := sorted(set(old) - set(new), key=str)[:5]:
        yield f"cells are gone: {gone}"
    for place, cell in old.items():
        other = new.get(place)
        if other is None:
            continue
        if cell.get("s") != other.get("s"):
            yield f"{place} has another style"
        formula, kept = cell.find(f"{_MAIN}f"), other.find(f"{_MAIN}f")
        if (formula is None) != (kept is None) or (
            formula is not None and kept is not None and (formula.text, formula.attrib) != (kept.text, kept.attrib)
        ):
            yield f"{place} has another formula"
        if formula is not None and cell.findtext(f"{_MAIN}v") and not other.findtext(f"{_MAIN}v"):
            yield f"{place} has lost its result"
        if other.get("t") == "e" and cell.get("t") != "e":
            yield f"{place} has become an error"


def _package(book: Workbook) -> Iterator[str]:
    if book.damaged:
        yield f"{book.damaged} is damaged"
    yield from (f"{name} is there twice" for name, n in Counter(map(str.lower, book.listed)).items() if n > 1)
    if _TYPES not in book.parts:
        yield f"no {_TYPES}"
    for name, content in book.parts.items():
        if name.endswith((".xml", ".rels", ".vml")):
            try:
                etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
            except etree.XMLSyntaxError as error:
                yield f"{name} is no XML: {error.msg}"


def _typed(book: Workbook) -> Iterator[str]:
    if _TYPES not in book.parts:
        return
    defaults, named = set(), []
    for each in book.root(_TYPES):
        if each.get("Extension") is not None:
            defaults.add(each.get("Extension", "").lower())
        else:
            named.append(each.get("PartName", "").lstrip("/").lower())
    parts = {name.lower() for name in book.parts} - {_TYPES.lower()}
    yield from (f"{name} has two content types" for name, n in Counter(named).items() if n > 1)
    yield from (f"a content type for {name}, which is not there" for name in named if name not in parts)
    for name in sorted(parts - set(named)):
        if name.rpartition(".")[2] not in defaults:
            yield f"{name} has no content type"


def _related(book: Workbook) -> Iterator[str]:
    there = {name.lower() for name in book.parts}
    for part in ["", *book.parts]:
        relations = list(book.relations(part))
        missing = [target for *_, target in relations if target.lower() not in there]
        yield from (f"{part or 'the package'} points at {target}, which is not there" for target in missing)
        counted = Counter(identity for identity, *_ in relations)
        yield from (f"{part} uses the relation {identity} twice" for identity, n in counted.items() if n > 1)
    yield from (f"sheet {name} has no part" for name, part in book.sheets().items() if part not in book.parts)


def _count(book: Workbook, kind: str, tag: str) -> int:
    part = book.of_kind(kind)
    if part is None:
        return 0
    root = book.root(part)
    holder = root if root.tag == _MAIN + tag else root.find(_MAIN + tag)
    return 0 if holder is None else len(holder)


def _sheet(book: Workbook, part: str) -> Iterator[str]:
    root = book.root(part)
    strings, styles = _count(book, "sharedStrings", "sst"), max(_count(book, "styles", "cellXfs"), 1)
    last_row, seen = 0, set[str]()
    extent = _extent(root)
    for row in root.iter(f"{_MAIN}row"):
        number = int(row.get("r") or last_row + 1)
        if number <= last_row:
            yield f"row {number} comes after row {last_row}"
        last_row, last_column = number, 0
        for cell in row.iter(f"{_MAIN}c"):
            place = cell.get("r") or ""
            column, at = _split(place)
            if at != number or column <= last_column or place in seen:
                yield f"{place} is out of order in row {number}"
            last_column = column
            seen.add(place)
            if extent and not (extent[0] <= column <= extent[2] and extent[1] <= at <= extent[3]):
                yield f"{place} lies outside the sheet's dimension"
            yield from _cell(cell, place, strings, styles)


def _cell(cell: etree._Element, place: str, strings: int, styles: int) -> Iterator[str]:
    value, kind = cell.findtext(f"{_MAIN}v"), cell.get("t", "n")
    if int(cell.get("s", "0")) >= styles:
        yield f"{place} has a style that is not there"
    if not value and kind != "s":
        return
    if kind == "s" and not ((value or "").isdigit() and int(value or 0) < strings):
        yield f"{place} has a text that is not there"
    if kind == "n" and not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", value or ""):
        yield f"{place} is said to be a number: {value}"
    if kind == "b" and value not in ("0", "1"):
        yield f"{place} is said to be true or false: {value}"


def _split(place: str) -> tuple[int, int]:
    match = re.fullmatch(r"([A-Z]{1,3})(\d+)", place)
    if match is None:
        return 0, 0
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return column, int(match[2])


def _extent(root: etree._Element) -> tuple[int, int, int, int] | None:
    """A dimension of one cell is what programs write that do not know the extent: nobody minds."""
    told = root.find(f"{_MAIN}dimension")
    first, _, last = (told.get("ref", "") if told is not None else "").partition(":")
    return (*_split(first), *_split(last)) if last else None


def _calc_chain(book: Workbook) -> Iterator[str]:
    part = book.of_kind("calcChain")
    if part is None:
        return
    numbers = {each.get("sheetId"): each.get("name", "") for each in book.root(book.main()).iter(f"{_MAIN}sheet")}
    formulas = {
        (name, cell.get("r"))
        for name, sheet in book.sheets().items()
        for cell in book.root(sheet).iter(f"{_MAIN}c")
        if cell.find(f"{_MAIN}f") is not None
    }
    sheet = None
    for each in book.root(part):
        sheet = each.get("i") or sheet
        if (numbers.get(sheet), each.get("r")) not in formulas:
            yield f"the chain of calculation names {numbers.get(sheet)}!{each.get('r')}, which has no formula"


def _names(book: Workbook) -> Iterator[str]:
    root, sheets = book.root(book.main()), list(book.sheets())
    seen: Counter[tuple[str, str | None]] = Counter()
    for each in root.iter(f"{_MAIN}definedName"):
        local = each.get("localSheetId")
        seen[each.get("name", "").lower(), local] += 1
        if local is not None and int(local) >= len(sheets):
            yield f"the name {each.get('name')} is of a sheet that is not there"
    yield from (f"the name {name} is defined twice" for (name, _), n in seen.items() if n > 1)
