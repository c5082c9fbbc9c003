"""Files of a folder on their way into storage: each copied once, and refused if it is not what was counted."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import UUID, uuid5

from django.core.files.base import File

from ...filestore.places import StoreError, opened_file, opened_folder
from ...filestore.snapshot import CHUNK, Snapshot, StoredFile
from ...models import Document
from ..filetypes import file_type_of

KEPT_BYTES = 1 << 20  # JSON beside the project up to this size stays with its row; what is larger becomes a document
KEPT_IN_ALL = 8 << 20
IN_MEMORY = 8 << 20
OLDER_POSITIONS = "older_positions"  # marks documents that are a positions.json: exported as that, not as a raw file
NOT_READ = "not_read"
NOT_READ_WORDS = "It came along from the older file store and has not been read. Read it to import its positions."
_KINDS = {
    "vykaz_vymer": Document.Kind.BILL, "vykaz": Document.Kind.BILL, "rozpocet": Document.Kind.BILL,
    "bill": Document.Kind.BILL, "vykresy": Document.Kind.DRAWING, "drawings": Document.Kind.DRAWING,
    "dokumentace": Document.Kind.SPECIFICATION, "documentation": Document.Kind.SPECIFICATION,
    "specification": Document.Kind.SPECIFICATION, "other": Document.Kind.OTHER,
}  # fmt: skip
_BY_CONTENT = {
    "xlsx": Document.Kind.BILL, "ods": Document.Kind.BILL, "ole": Document.Kind.BILL, "xml": Document.Kind.BILL,
    "csv": Document.Kind.BILL, "pdf": Document.Kind.SPECIFICATION, "docx": Document.Kind.SPECIFICATION,
    "dwg": Document.Kind.DRAWING, "ifc": Document.Kind.DRAWING, "png": Document.Kind.DRAWING,
    "jpeg": Document.Kind.DRAWING,
}  # fmt: skip


@dataclass(slots=True)
class Brought:
    """What is in storage, before there is a row of it."""

    documents: dict[str, Document] = field(default_factory=dict)  # by digest; not saved
    kept: dict[str, dict[str, str]] = field(default_factory=dict)  # by digest: {"text": …} or {"base64": …}
    manifest: list[dict[str, Any]] = field(default_factory=list)  # path, size, sha256, document


@contextmanager
def copied(root: Path, folder: str, file: StoredFile) -> Iterator[IO[bytes]]:
    """A copy of our own. Raises StoreError("changed") if the folder is being written to meanwhile."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="folder-") as copy:
        digest = hashlib.sha256()
        with opened_folder(root, folder) as descriptor, opened_file(descriptor, file.path) as source:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != file.sha256:
            message = f"{file.path} was written to while it was read. Run it again when the older system rests."
            raise StoreError(message, code="changed")
        copy.seek(0)
        yield copy


def content_of(root: Path, folder: str, file: StoredFile) -> bytes:
    with copied(root, folder, file) as copy:
        return copy.read()


def bring(
    *, root: Path, snapshot: Snapshot, project_id: UUID, kinds: dict[str, str], known: dict[str, UUID]
) -> Brought:
    """Store every file of the folder. `known`: digests that the project has documents of already.

    A document's id follows from project and content, so what a killed run has stored is found again, not stored twice.
    """
    brought, room = Brought(), KEPT_IN_ALL
    positions = snapshot.positions
    for file in snapshot.files:
        is_kept = not file.path.startswith("raw/") and file != positions and file.size <= min(KEPT_BYTES, room)
        row: dict[str, Any] = {"path": file.path, "size": file.size, "sha256": file.sha256, "document": None}
        if is_kept and file.sha256 not in brought.kept:
            room -= file.size
            brought.kept[file.sha256] = _as_json(content_of(root, snapshot.folder, file))
        elif not is_kept:
            row["document"] = str(known.get(file.sha256) or document_id(project_id, file.sha256))
            if file.sha256 not in known and file.sha256 not in brought.documents:
                kind = Document.Kind.BILL if file == positions else None
                brought.documents[file.sha256] = _document(root, snapshot.folder, file, project_id, kinds, kind)
        brought.manifest.append(row)
    return brought


def document_id(project_id: UUID, sha256: str) -> UUID:
    return uuid5(project_id, sha256)


def _as_json(data: bytes) -> dict[str, str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\x00"
    return {"base64": base64.b64encode(data).decode()} if "\x00" in text else {"text": text}


def kept_bytes(value: dict[str, str]) -> bytes:
    return base64.b64decode(value["base64"]) if "base64" in value else value["text"].encode()


def _document(
    root: Path, folder: str, file: StoredFile, project_id: UUID, kinds: dict[str, str], kind: str | None
) -> Document:
    name = PurePosixPath(file.path).name
    with copied(root, folder, file) as copy:
        file_type, mime_type = file_type_of(copy.read(4096))
        document = Document(
            pk=document_id(project_id, file.sha256),
            project_id=project_id,
            original_filename=name[:255],
            kind=kind or _kind(file.path, kinds.get(name, ""), file_type),
            file_type=file_type,
            mime_type=mime_type,
            size=file.size,
            sha256=file.sha256,
        )
        if document.kind == Document.Kind.BILL:
            document.parse_status, document.parse_error_code = Document.ParseStatus.FAILED, NOT_READ
            document.parse_error = NOT_READ_WORDS
        copy.seek(0)
        _save(document, copy)
    return document


def _kind(path: str, said: str, file_type: str) -> str:
    """By the folder, else by what project.json says of the file, else by its content."""
    if not path.startswith("raw/"):
        return Document.Kind.OTHER
    for word in (*PurePosixPath(path).parts[1:-1], said):
        if word.lower() in _KINDS:
            return _KINDS[word.lower()]
    return _BY_CONTENT.get(file_type, Document.Kind.OTHER)


def _save(document: Document, content: IO[bytes]) -> None:
    storage = document.file.storage
    name = document.file.field.generate_filename(document, document.original_filename)
    if storage.exists(name):
        if sha256_of(storage, name) == document.sha256:  # of a run that was killed before its rows were written
            document.file.name = name
            return
        storage.delete(name)
    document.file.save(document.original_filename, File(content, name=document.original_filename), save=False)


def sha256_of(storage: Any, name: str) -> str:
    digest = hashlib.sha256()
    with storage.open(name, "rb") as stored:
        for chunk in stored.chunks():
            digest.update(chunk)
    return digest.hexdigest()
