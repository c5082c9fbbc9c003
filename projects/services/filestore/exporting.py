"""A project as a folder of the older store: what nobody changed comes back byte for byte, the rest says what is now."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ...filestore.places import StoreError
from ...filestore.project import written_project
from ...filestore.snapshot import CHUNK, PROJECT, StoredFile, snapshot
from ...filestore.writing import writable_folder, write_file
from ...models import Document, FileProject, Project
from ..versions import locked_project
from .bringing import OLDER_POSITIONS, kept_bytes
from .comparing import told_by
from .outcomes import Outcome
from .returning import path_for, write_positions

POSITIONS_PATH = "positions.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file as it should be. `sha256`: known beforehand, so that an equal one is left alone; "" else."""

    path: str
    chunks: Callable[[], Iterable[bytes]]
    sha256: str = ""
    document: str | None = None


def export_project(*, known: FileProject, root: Path, overwrite: bool = False) -> Outcome:
    """Write the project into its folder below `root`. Each file is replaced whole; project.json comes last, so a new
    folder is no project before it is complete. Run again after a kill, it ends where it would have ended.

    Raises StoreError("changed_elsewhere") for a file that neither we nor the older system as we knew it has written
    (unless `overwrite`), StoreError("damaged" | "not_writable"), Missing.
    """
    folder = known.contents.get("folder") or known.legacy_id
    outcome = Outcome(folder, known.legacy_id, checksum=known.checksum)
    with ExitStack() as open_files:
        version, wanted = _wanted(known, open_files)
        there = _there(root, folder)
        _check_untouched(known, wanted, there, overwrite)
        written = _write(root, folder, wanted, there)
    outcome.state = "written" if written else "unchanged"
    outcome.counts = {"files": len(wanted), "written": written, "version": version}
    if _is_own(known, root):
        _record(known, root, folder, version, wanted)
    return outcome


def _wanted(known: FileProject, open_files: ExitStack) -> tuple[int, list[Wanted]]:
    """The version that is written, and every file of it, project.json last."""
    copy: IO[bytes] = tempfile.TemporaryFile(prefix="positions-")  # noqa: SIM115 - closed with the others
    open_files.callback(copy.close)
    with transaction.atomic():
        assert known.project_id is not None
        project = locked_project(project_id=known.project_id)  # nobody changes it while it is read
        documents = {str(row.pk): row for row in Document.objects.filter(project=project)}
        has_positions = write_positions(project=project, known=known, documents=documents, into=copy)
    files = known.contents.get("files", [])
    positions_path = known.contents.get("positions_path") or POSITIONS_PATH
    said = {PROJECT, positions_path}
    wanted = [_taken(row, known, documents) for row in files if row["path"] not in said]
    added = list(_added(project, known, documents, {row["path"] for row in files} | said))
    wanted += [each for each, _ in added]
    if has_positions:
        wanted.append(Wanted(positions_path, lambda: _chunks(copy)))
    row = next((row for row in files if row["path"] == PROJECT), None)
    before = None if row is None else b"".join(_taken(row, known, documents).chunks())
    described = written_project(before, told_by(project, known), [entry for _, entry in added])
    return project.version_number, [*wanted, Wanted(PROJECT, lambda: [described])]


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _taken(row: dict[str, Any], known: FileProject, documents: dict[str, Document]) -> Wanted:
    """A file as it came."""
    if row["document"] is None:
        data = kept_bytes(known.contents["kept"][row["sha256"]])
        return Wanted(row["path"], lambda: [data], row["sha256"])
    document = documents.get(row["document"])
    if document is None:
        raise StoreError(f"{row['path']}: its document has been deleted here.", code="damaged")
    return Wanted(row["path"], lambda: document_chunks(document), row["sha256"], row["document"])


def document_chunks(document: Document) -> Iterator[bytes]:
    try:
        with document.file.open("rb") as stored:
            yield from stored.chunks()
    except OSError as error:
        message = f"{document.original_filename} can't be read from storage: {error.strerror or error}."
        raise StoreError(message, code="damaged") from error


def _added(
    project: Project, known: FileProject, documents: dict[str, Document], taken: set[str]
) -> Iterator[tuple[Wanted, dict[str, Any]]]:
    """Documents that came after the project was taken in, each with its entry for project.json."""
    named = {row["document"] for row in known.contents.get("files", [])}
    for document in sorted(documents.values(), key=lambda row: (row.created_at, str(row.pk))):
        if str(document.pk) in named or document.extracted_data.get(OLDER_POSITIONS):
            continue
        path, file_type = path_for(document, taken)
        taken.add(path)
        entry = {
            "file_id": f"{known.legacy_id}:{file_type}:{path.rpartition('/')[2]}",
            "filename": path.rpartition("/")[2],
            "file_type": file_type,
            "size": document.size,
            "uploaded_at": document.created_at.isoformat(),
        }
        chunks = _of(document)
        yield Wanted(path, chunks, document.sha256, str(document.pk)), entry


def _of(document: Document) -> Callable[[], Iterable[bytes]]:
    return lambda: document_chunks(document)


def _there(root: Path, folder: str) -> dict[str, StoredFile]:
    if not root.is_dir():
        raise StoreError(f"{root} is no folder. Make it first.", code="no_store")
    if not (root / folder).exists() and not (root / folder).is_symlink():
        return {}
    return {file.path: file for file in snapshot(root, folder).files}


def _check_untouched(known: FileProject, wanted: list[Wanted], there: dict[str, StoredFile], overwrite: bool) -> None:
    """What stands there is as we know it, or what a killed run of ours has written: positions and project.json are
    told by what they would be now."""
    if overwrite:
        return
    ours = {row["path"]: row["sha256"] for row in known.contents.get("files", [])}
    for file in wanted:
        present = there.get(file.path)
        if present is None or present.sha256 in (ours.get(file.path), file.sha256):
            continue
        if not file.sha256 and present.sha256 == _digest(file):
            continue
        message = f"{file.path} has been changed in the folder by somebody else. Compare with verify_file_projects; "
        raise StoreError(f"{message}--overwrite replaces it.", code="changed_elsewhere")


def _digest(file: Wanted) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _write(root: Path, folder: str, wanted: list[Wanted], there: dict[str, StoredFile]) -> int:
    """How many files had to be written."""
    written = 0
    with writable_folder(root, folder) as descriptor:
        for file in wanted:
            present = there.get(file.path)
            if present is not None and present.sha256 == (file.sha256 or _digest(file)):
                continue
            write_file(descriptor, file.path, file.chunks(), sha256=file.sha256)
            written += 1
    return written


def _is_own(known: FileProject, root: Path) -> bool:
    """Whether this is the folder we remember: where it came from, or where dual writing keeps it."""
    own = {known.contents.get("root", "")}
    if settings.FILE_PROJECTS_DIR:
        own.add(str(Path(settings.FILE_PROJECTS_DIR).resolve()))
    return str(root.resolve()) in own


def _record(known: FileProject, root: Path, folder: str, version: int, wanted: list[Wanted]) -> None:
    """What the folder holds now. From here on the tables are ahead: a folder changed elsewhere is a conflict."""
    documents = {file.path: file.document for file in wanted}
    now = snapshot(root, folder)
    ours = {row["path"]: row for row in known.contents.get("files", [])}
    files = [
        {"path": f.path, "size": f.size, "sha256": f.sha256, "document": documents[f.path]}
        for f in now.files
        if f.path in documents
    ]
    kept = dict(known.contents.get("kept", {}))
    for file in wanted:
        row = next(row for row in files if row["path"] == file.path)
        if file.path == PROJECT:
            kept[row["sha256"]] = {"text": b"".join(file.chunks()).decode()}
        elif file.document is None and file.sha256 == "" and ours.get(file.path, {}).get("sha256") == row["sha256"]:
            row["document"] = ours[file.path]["document"]
    kept = {row["sha256"]: kept[row["sha256"]] for row in files if row["sha256"] in kept}
    contents = known.contents | {"root": str(root.resolve()), "folder": folder, "files": files, "kept": kept}
    report = known.report | {"written": timezone.now().isoformat(), "written_version": version}
    FileProject.objects.filter(pk=known.pk).update(contents=contents, report=report, checksum=now.checksum)
