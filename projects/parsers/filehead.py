"""What a file is, by its content: facts found when asked for, each once, so that every dialect can look without reading
the file again. An opened workbook found here is the one that the reader goes on with."""

from __future__ import annotations

import zipfile
from functools import cached_property
from pathlib import Path

from projects.parsers.archive import check_directory, open_archive
from projects.parsers.bill import ParseError
from projects.parsers.compound import SIGNATURE, WORKBOOK_STREAMS, Compound
from projects.parsers.safexml import Prolog, read_prolog
from projects.parsers.workbook import Row, Workbook

FIRST_BYTES = 64 << 10
FIRST_ROWS = 200
_TEXT_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


class FileHead:
    """The head of a file. `filename` is only for words to people: nothing is decided by it."""

    def __init__(self, path: Path, filename: str = "") -> None:
        self.path = path
        self.filename = filename or path.name
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise ParseError(
                f"The file '{self.filename}' can't be opened: {error.strerror}.", code="damaged"
            ) from error

    @cached_property
    def first(self) -> bytes:
        """The first 64 KB."""
        with self.path.open("rb") as file:
            return file.read(FIRST_BYTES)

    @cached_property
    def kind(self) -> str:
        """ "empty", "zip", "cfb" (older Office, encrypted Office), "pdf", "xml", "text" or "binary"."""
        head = self.first
        if not head.strip(b"\x00 \t\r\n"):
            return "empty"
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return "zip"
        if head.startswith(SIGNATURE):
            return "cfb"
        if b"%PDF-" in head[:1024]:
            return "pdf"
        if self._starts_like_xml():
            return "xml"
        return "text" if self.text else "binary"

    def _starts_like_xml(self) -> bool:
        head = self.first[:400]
        for bom, encoding in _TEXT_BOMS:
            if head.startswith(bom):
                return head[: len(head) & ~1].decode(encoding, "replace").lstrip("\ufeff \t\r\n").startswith("<")
        return head.lstrip().startswith((b"<", b"<\x00", b"\x00<"))

    @cached_property
    def encoding(self) -> str:
        """The encoding of a text file: by its mark, UTF-8 if it decodes, otherwise Windows-1250 (Central Europe)."""
        for bom, encoding in _TEXT_BOMS:
            if self.first.startswith(bom):
                return encoding
        try:
            # The piece may end inside a character.
            self.first.decode("utf-8") if len(self.first) < FIRST_BYTES else self.first[:-3].decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            if error.start < len(self.first) - 8:
                return "cp1250"
        return "utf-8"

    @cached_property
    def text(self) -> str:
        """The first 64 KB as text; "" where it is none (zero bytes, control characters)."""
        try:
            text = self.first.decode(self.encoding, "replace").lstrip("\ufeff")
        except (LookupError, UnicodeError):
            return ""
        control = sum(1 for char in text[:4096] if char < " " and char not in "\t\r\n\x0c\x1a")
        return text if control <= len(text[:4096]) // 200 else ""

    @cached_property
    def archive(self) -> zipfile.ZipFile:
        """The zip container, its directory measured. Raises ParseError("damaged" | "archive_bomb" | "encrypted")."""
        archive = open_archive(self.path)
        check_directory(archive)
        return archive

    @cached_property
    def members(self) -> frozenset[str]:
        """Names of the container's parts."""
        return frozenset(self.archive.namelist())

    @cached_property
    def compound(self) -> Compound:
        """An older Office file. Raises ParseError("damaged" | "too_large")."""
        return Compound(self.path)

    @cached_property
    def is_xls(self) -> bool:
        return self.kind == "cfb" and not self.compound.names.isdisjoint(WORKBOOK_STREAMS)

    @property
    def is_workbook(self) -> bool:
        """An xlsx/xlsm, ods or xls, by its parts."""
        return self.is_xls or (
            self.kind == "zip"
            and ("xl/workbook.xml" in self.members or ({"content.xml", "mimetype"} <= self.members and self.is_ods))
        )

    @cached_property
    def xls_stream(self) -> bytes:
        """The stream of an xls in which its sheets and formulas are."""
        return self.compound.stream(next(name for name in WORKBOOK_STREAMS if name in self.compound.names))

    @cached_property
    def is_ods(self) -> bool:
        if self.kind != "zip" or "mimetype" not in self.members or self.archive.getinfo("mimetype").file_size > 200:
            return False
        try:
            return self.archive.read("mimetype").startswith(b"application/vnd.oasis.opendocument.spreadsheet")
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
            return False

    @cached_property
    def workbook(self) -> Workbook:
        """The opened workbook, measured first. Raises ParseError."""
        if self.is_xls:
            return Workbook(self.path, xls=self.xls_stream)
        return Workbook(self.path)

    @cached_property
    def xml(self) -> Prolog:
        """The root element of an XML file; an empty one for anything else."""
        return read_prolog(self.path) if self.kind == "xml" else Prolog()

    def first_rows(self, sheet_name: str, limit: int = FIRST_ROWS) -> list[Row]:
        """The first rows of a sheet, from its row 1."""
        rows: list[Row] = []
        for row in self.workbook.sheet(sheet_name).rows():
            rows.append(row)
            if len(rows) >= limit:
                break
        return rows

    def close(self) -> None:
        """Lets go of the container's file."""
        if "archive" in self.__dict__:
            self.archive.close()
