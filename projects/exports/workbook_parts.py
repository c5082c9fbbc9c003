"""The parts of an xlsx package that writing into it needs: which part is which sheet, which cells are locked, where the
workbook says how it is computed. Parts are read and copied; nothing but named ones is changed."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from projects.exports.source import ExportError

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FALSE = ("0", "false")
_LARGEST_TEXT = 512 << 20


def _damaged(what: str) -> ExportError:
    return ExportError(
        f"Prices can't be written into this workbook: {what}. Open it in the program that made it, save it again as "
        ".xlsx, upload that, and write the prices into it.",
        code="unwritable_workbook",
    )


def _xml(content: bytes) -> etree._Element:
    """No entities, no network, no document type."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _damaged(f"one of its parts is no XML ({error.msg})") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _damaged("one of its parts declares a document type")
    return root


class Package:
    """An opened xlsx. Close it, or use it in a `with`."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise _damaged("it is no xlsx package") from error
        self._names = {name.lower(): name for name in self._zip.namelist()}
        if len(self._names) != len(self._zip.namelist()):
            raise _damaged("it has a part twice")
        self.workbook = self._main_part()
        self.sheets, self.names = self._read_workbook()
        self._locks: list[bool] | None = None

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def read(self, part: str) -> bytes:
        name = self._names.get(part.lower())
        if name is None:
            raise _damaged(f"its part {part} is missing")
        if self._zip.getinfo(name).file_size > _LARGEST_TEXT:
            raise _damaged(f"its part {part} is larger than {_LARGEST_TEXT >> 20} MB")
        try:
            return self._zip.read(name)
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
            raise _damaged(f"its part {part} can't be read") from error

    def text(self, part: str) -> str:
        """With its byte order mark, if it has one, as the first character."""
        try:
            return self.read(part).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _damaged(f"its part {part} is not written in UTF-8") from error

    def size_of_sheets(self) -> int:
        return sum(self._zip.getinfo(self._names[part.lower()]).file_size for part in self.sheets.values())

    def shared_strings(self) -> list[str]:
        part = next((name for name in self._names.values() if name.lower().endswith("/sharedstrings.xml")), "")
        if not part:
            return []
        root = _xml(self.read(part))
        found = []
        for item in root.iterfind("{*}si"):
            pieces = [node.text or "" for node in item.iterfind("{*}t")]
            pieces += [node.text or "" for node in item.iterfind("{*}r/{*}t")]
            found.append("".join(pieces))
        return found

    def is_locked(self, style: int) -> bool:
        """Whether a cell of this style is, once its sheet is protected. A style that is not there locks."""
        if self._locks is None:
            self._locks = self._read_locks()
        return self._locks[style] if 0 <= style < len(self._locks) else True

    def save(self, target: Path, changed: Mapping[str, bytes]) -> None:
        """A copy in which only `changed` parts have other bytes; order, dates and compression stay."""
        with zipfile.ZipFile(target, "w") as out:
            out.comment = self._zip.comment
            for info in self._zip.infolist():
                content = changed.get(info.filename)
                copy = zipfile.ZipInfo(info.filename, info.date_time)
                copy.compress_type = info.compress_type
                copy.external_attr, copy.create_system, copy.comment = (
                    info.external_attr, info.create_system, info.comment,
                )  # fmt: skip
                with out.open(copy, "w", force_zip64=info.file_size > (1 << 31)) as written:
                    if content is not None:
                        written.write(content)
                        continue
                    with self._zip.open(info) as original:
                        while piece := original.read(1 << 20):
                            written.write(piece)

    def part_name(self, part: str) -> str:
        """As the package spells it."""
        return self._names[part.lower()]

    def _main_part(self) -> str:
        for relation in _xml(self.read("_rels/.rels")):
            if str(relation.get("Type", "")).endswith("/officeDocument"):
                return str(relation.get("Target", "")).lstrip("/")
        raise _damaged("it does not say which part is the workbook")

    def _read_workbook(self) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
        """(sheet's name → its part, (sheet or "" for all, defined name) → its formula)."""
        folder, own = posixpath.split(self.workbook)
        relations = {
            str(relation.get("Id")): str(relation.get("Target", ""))
            for relation in _xml(self.read(f"{folder}/_rels/{own}.rels".lstrip("/")))
        }
        root = _xml(self.read(self.workbook))
        sheets: dict[str, str] = {}
        for sheet in root.iterfind("{*}sheets/{*}sheet"):
            identity = next((str(v) for k, v in sheet.attrib.items() if str(k).endswith("}id")), "")
            target = relations.get(identity, "")
            part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            if part.lower() in self._names:
                sheets[str(sheet.get("name", ""))] = part
        order = [str(sheet.get("name", "")) for sheet in root.iterfind("{*}sheets/{*}sheet")]
        names: dict[tuple[str, str], str] = {}
        for name in root.iterfind("{*}definedNames/{*}definedName"):
            local = str(name.get("localSheetId", ""))
            scope = order[int(local)] if local.isdecimal() and int(local) < len(order) else ""
            names[scope, str(name.get("name", ""))] = (name.text or "").strip()
        return sheets, names

    def _read_locks(self) -> list[bool]:
        part = next((name for name in self._names.values() if name.lower().endswith("/styles.xml")), "")
        if not part:
            return []
        locks = []
        for style in _xml(self.read(part)).iterfind("{*}cellXfs/{*}xf"):
            protection = style.find("{*}protection")
            locks.append(protection is None or str(protection.get("locked", "1")).lower() not in _FALSE)
        return locks


_CALCULATION = re.compile(r"<((?:\w+:)?)calcPr\b([^>]*?)(/?)>")
_FULL = re.compile(r'\sfullCalcOnLoad\s*=\s*(?:"[^"]*"|\'[^\']*\')')
_MANUAL = re.compile(r'\scalcMode\s*=\s*(?:"manual"|\'manual\')')
# In the order of the schema: what computing stands after. The last that is there is the place.
_BEFORE = ("sheets", "functionGroups", "externalReferences", "definedNames")


def computed_on_load(workbook: str) -> str:
    """The workbook part with the wish that the program computes everything when it opens the file."""
    match = _CALCULATION.search(workbook)
    if match:
        attributes = _FULL.sub("", _MANUAL.sub("", match.group(2))).rstrip()
        own = f'<{match.group(1)}calcPr{attributes} fullCalcOnLoad="1"{match.group(3)}>'
        return workbook[: match.start()] + own + workbook[match.end() :]
    for name in reversed(_BEFORE):
        end = re.search(rf"</((?:\w+:)?){name}>|<((?:\w+:)?){name}\s*/>", workbook)
        if end:
            prefix = end.group(1) or end.group(2) or ""
            own = f'<{prefix}calcPr fullCalcOnLoad="1"/>'
            return workbook[: end.end()] + own + workbook[end.end() :]
    raise _damaged("its workbook part lists no sheets")
