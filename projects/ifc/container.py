"""A model as it was uploaded (.ifc, .ifc.gz, .ifczip), as a plain STEP file: bounded, whole, of a known schema.

Everything that can be said against a file without parsing it is said here: the parser behind is native code.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from projects.parsers.archive import open_archive
from projects.parsers.bill import ParseError

MAX_PLAIN = 256 << 20  # bytes of STEP; in memory it is four to eight times as large
MAGIC = b"ISO-10303-21"
SCHEMAS = ("IFC2X3", "IFC4")  # and what follows IFC4: IFC4X3, …
_PIECE = 1 << 20
_SCHEMA = re.compile(rb"FILE_SCHEMA\s*\(\s*\(\s*'([^']{1,40})'", re.IGNORECASE)
_AGAIN = "Export the model again from the program it was drawn in, as IFC4 or IFC2X3, and upload that."


def is_model(head: bytes) -> bool:
    """Whether the first bytes (4 KiB or so) are those of an IFC file, plain, gzipped or zipped."""
    if head.startswith(b"PK\x03\x04"):
        length = int.from_bytes(head[26:28], "little")
        return head[30 : 30 + length].lower().endswith(b".ifc")
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 4096)
        except zlib.error:
            return False
    return head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(MAGIC)


def unpacked(path: Path, folder: Path) -> Path:
    """The plain STEP file: `path` itself, or what was packed in it, written into `folder`.

    Raises ParseError: "damaged", "archive_bomb", "too_large", "unsupported_schema", "no_model".
    """
    with path.open("rb") as file:
        head = file.read(4)
    plain = path
    if head.startswith(b"\x1f\x8b"):
        plain = _written(_gunzipped(path), folder / "model.ifc")
    elif head.startswith(b"PK\x03\x04"):
        plain = _written(_unzipped(path), folder / "model.ifc")
    elif path.stat().st_size > MAX_PLAIN:
        raise _too_large()
    check(plain)
    return plain


def check(path: Path) -> str:
    """The schema's name. Raises ParseError where the file is no STEP file, was cut short, or is of another schema."""
    with path.open("rb") as file:
        head = file.read(64 << 10)
        file.seek(max(0, path.stat().st_size - 4096))
        tail = file.read()
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(MAGIC):
        raise ParseError(f"This is no IFC file: it does not begin with {MAGIC.decode()}. {_AGAIN}", code="no_model")
    if b"END-ISO-10303-21" not in tail:
        raise ParseError(
            "The model's end is missing: the file was cut short while it was copied or sent. Get it again and compare "
            "its size with the original.",
            code="damaged",
        )
    found = _SCHEMA.search(head)
    schema = found.group(1).decode("ascii", "replace").upper() if found else ""
    if not schema.startswith(SCHEMAS):
        said = f"is of the schema {schema}" if schema else "does not say which schema it follows"
        raise ParseError(f"The model {said}; IFC2X3 and IFC4 are read. {_AGAIN}", code="unsupported_schema")
    return schema


def _gunzipped(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as file:
            while piece := file.read(_PIECE):
                yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _cut_short() from error


def _unzipped(path: Path) -> Iterator[bytes]:
    with open_archive(path) as archive:
        models = [member for member in archive.infolist() if member.filename.lower().endswith(".ifc")]
        if len(models) != 1:
            raise ParseError(
                f"The archive holds {len(models) or 'no'} IFC files; one is read at a time. Upload each by itself.",
                code="no_model",
            )
        try:
            with archive.open(models[0]) as member:
                while piece := member.read(_PIECE):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
            raise _cut_short() from error


def _written(pieces: Iterable[bytes], target: Path) -> Path:
    """Counted as it is unpacked: what a header promises is not believed."""
    size = 0
    with target.open("wb") as file:
        for piece in pieces:
            size += len(piece)
            if size > MAX_PLAIN:
                raise _too_large()
            file.write(piece)
    return target


def _too_large() -> ParseError:
    return ParseError(
        f"The model is larger than {MAX_PLAIN >> 20} MB unpacked. Export it storey by storey, or without furniture and "
        "services, and upload the parts.",
        code="too_large",
    )


def _cut_short() -> ParseError:
    return ParseError(
        "The packed model can't be unpacked: it was damaged or cut short while it was copied or sent, or is protected "
        "by a password. Pack it again, or upload the .ifc itself.",
        code="damaged",
    )
