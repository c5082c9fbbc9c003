"""Zip packages (QTI, common cartridge): each XML part with questions in it, and what the manifest says of them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from posixpath import basename, dirname, join, normpath
from urllib.parse import unquote

from lxml import etree

from . import moodle, qti1, qti2, safexml
from .content import MAX_BYTES, NotReadable
from .item import Item, Rejected
from .pictures import LARGEST, Find, Picture, picture_of
from .qti2 import Told
from .safexml import child, children, text_in, within
from .texts import one_line

MANIFEST = "imsmanifest.xml"
_CANVAS = "$IMS-CC-FILEBASE$"
MAX_PARTS = 20_000
MAX_PART = 16 * 1024 * 1024
# Question XML packs 5 to 20 times; zeros pack 1,000 times. Small parts may pack as they like.
MAX_RATIO = 200
RATIO_FROM = 1024 * 1024
_BAD = (zipfile.BadZipFile, zlib.error, struct.error, OSError, ValueError, NotImplementedError, RuntimeError, EOFError)


def read_package(content: bytes) -> Iterator[Item | Rejected]:
    """Raises NotReadable for what is no package, or one that would grow beyond all measure."""
    archive = _opened(content)
    told, pictures = _manifest(archive), _Pictures(archive)
    position = 0
    is_any = False
    for member in _parts(archive):
        try:
            find = pictures.finder(member.filename)
            found = _read_part(_bytes(archive, member), told.get(normpath(member.filename), Told()), position, find)
        except (*_BAD, NotReadable) as error:
            position += 1
            yield Rejected(position, "damaged", f"The part '{member.filename[:120]}' can't be read: {str(error)[:160]}")
            continue
        for each in found:
            is_any = True
            position += 1
            yield replace(each, position=position) if isinstance(each, Rejected) else each
    if not is_any and position == 0:
        raise NotReadable("No part of the package holds questions.", code="no_questions")


def _opened(content: bytes) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _BAD as error:
        raise NotReadable("The zip file is damaged: it was probably cut short.", code="damaged") from error
    members = archive.infolist()
    if any(member.filename == "[Content_Types].xml" for member in members):
        raise NotReadable("This is an office document, not a package. Save a workbook as CSV.", code="office")
    if len(members) > MAX_PARTS or sum(member.file_size for member in members if _is_xml(member)) > 4 * MAX_BYTES:
        raise NotReadable("The package is too large when unpacked.", code="too_large")
    for member in members:
        if _is_xml(member) and member.file_size > RATIO_FROM:
            if member.file_size > MAX_RATIO * max(member.compress_size, 1):
                raise NotReadable(f"The part '{member.filename[:120]}' grows too much when unpacked.", code="zip_bomb")
            if member.file_size > MAX_PART:
                raise NotReadable(f"The part '{member.filename[:120]}' is too large.", code="too_large")
        if member.flag_bits & 1:
            raise NotReadable("The package is protected by a password.", code="encrypted")
    return archive


def _is_xml(member: zipfile.ZipInfo) -> bool:
    name = member.filename
    is_of_a_mac = name.startswith("__MACOSX/") or basename(name).startswith("._")
    return name.lower().endswith((".xml", ".qti")) and not is_of_a_mac


def _parts(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Canvas writes a quiz twice: for others (…/assessment_qti.xml) and, with all its questions, for itself."""
    members = [member for member in archive.infolist() if _is_xml(member) and basename(member.filename) != MANIFEST]
    whole = {basename(member.filename).split(".")[0] for member in members if "non_cc_assessments/" in member.filename}
    return [
        member for member in members
        if basename(member.filename) != "assessment_qti.xml" or basename(dirname(member.filename)) not in whole
    ]  # fmt: skip


def _bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """At most MAX_PART, whatever the directory of the archive promises."""
    with archive.open(member) as part:
        content = part.read(MAX_PART + 1)
    if len(content) > MAX_PART:
        raise NotReadable("it is larger than its directory says", code="zip_bomb")
    return content


def _read_part(content: bytes, told: Told, position: int, find: Find) -> Iterator[Item | Rejected]:
    """Nothing for XML that holds no questions (settings, styles, the order of a test)."""
    prolog = safexml.prolog_of(content)
    safexml.refuse_declarations(prolog)
    if prolog.root == "questestinterop":
        return qti1.read_qti1(content, find)
    if prolog.root == "assessmentItem":
        return qti2.read_items(content, told, position=position, find=find)
    if prolog.root == "quiz" and "canvas" not in prolog.namespace:
        return moodle.read_moodle(content)
    return iter(())


class _Pictures:
    """Files of the archive by the addresses under which its questions name them; each is read once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._members = {normpath(each.filename): each for each in archive.infolist() if not each.is_dir()}
        self._read: dict[str, Picture | None] = {}
        self._size = 0

    def finder(self, part: str) -> Find:
        """For a part of the package: relative to it, to the package, or to where Canvas keeps files."""
        return lambda address: self._find(dirname(part), address)

    def _find(self, folder: str, address: str) -> Picture | None:
        name = unquote(address.partition("?")[0].partition("#")[0])
        if name.startswith(_CANVAS):
            places = [join(base, name.removeprefix(_CANVAS).lstrip("/")) for base in ("web_resources", "")]
        elif ":" in name:
            return None
        else:
            places = [join(folder, name.lstrip("/")), name.lstrip("/")]
        return next((found for place in places if (found := self._picture(normpath(place)))), None)

    def _picture(self, path: str) -> Picture | None:
        """None for what is not there, no picture, too large, or damaged; and past what a package may hold of them."""
        member = self._members.get(path)
        if member is None or member.file_size > LARGEST or _is_xml(member):
            return None
        if path not in self._read:
            try:
                with self._archive.open(member) as part:
                    content = part.read(LARGEST + 1)
            except _BAD:
                content = b""
            self._size += len(content)
            self._read[path] = picture_of(content, path) if self._size <= MAX_BYTES else None
        return self._read[path]


def _manifest(archive: zipfile.ZipFile) -> dict[str, Told]:
    """What the manifest says of each part. None there, or a damaged one, costs what it says and no question."""
    for member in archive.infolist():
        if basename(member.filename) == MANIFEST and _is_xml(member):
            try:
                content = _bytes(archive, member)
                safexml.refuse_declarations(safexml.prolog_of(content))
                root = safexml.tree_of(content)
            except (*_BAD, NotReadable, safexml.Damaged):
                return {}
            base = dirname(member.filename)
            return {
                normpath(join(base, unquote(each.get("href", "")))): told_of(each)
                for each in within(root, "resource")
                if each.get("href")
            }
    return {}


def told_of(resource: etree._Element) -> Told:
    """The keywords of a resource and the path of its first taxon, from its LOM metadata."""
    metadata = child(resource, "metadata")
    if metadata is None:
        return Told()
    tags = [one_line(text_in(each)) for each in within(metadata, "keyword")]
    path = next(iter(within(metadata, "taxonPath", "taxonpath")), None)
    taxons = children(path, "taxon") if path is not None else []
    names = [one_line(text_in(child(each, "entry"))) for each in taxons]
    return Told(tuple(name for name in names if name), tuple(tag for tag in tags if not re.fullmatch(r"\s*", tag)))
