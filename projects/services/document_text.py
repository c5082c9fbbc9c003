"""The text of documents that are no bills (specifications, reports, letters), read by a job once they come.

Pages are parted by form feeds. What can't be read is kept as a reason in `extracted_data["text"]`, so that nobody takes
a document for looked through that was not. Bills are looked through by their positions.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any
from uuid import UUID

import structlog
from django.db.models import Q

from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue

from ..entities import tell_document
from ..exceptions import Missing
from ..models import Document

READ_TEXT = "projects.read_text"
PAGE_BREAK = "\f"
# PostgreSQL indexes a megabyte of words of a text at most.
LONGEST = 400_000  # characters
MOST_PAGES = 600
MOST_BYTES = 64 << 20  # of a part of a package, unpacked
READABLE = ("pdf", "docx", "csv", "xml", "json")
_PARAGRAPH = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"
log = structlog.get_logger(__name__)

Report = Callable[..., None]
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]


class Unreadable(Exception):
    """The message says why, for people."""


def queue_text(*, document: Document, actor: User | None = None) -> Job:
    """In the caller's transaction. One active reading a document (dedupe key)."""
    return enqueue(
        kind=READ_TEXT,
        params={"document_id": str(document.pk)},
        actor=actor,
        organisation=document.project.organisation,
        subject=("document", document.pk),
        about=f"{document.project.name}: {document.original_filename}"[:200],
        dedupe_key=f"{READ_TEXT}:{document.pk}",
    )


def queue_missing(*, project_id: UUID) -> int:
    """Documents of the project whose text nobody has tried to read; how many that are now being read."""
    rows = Document.objects.filter(Q(extracted_data__text__isnull=True), project_id=project_id, indexed_content="")
    rows = rows.exclude(kind=Document.Kind.BILL).exclude(file_type="ifc")
    waiting = list(rows.select_related("project__organisation")[:50])
    for document in waiting:
        queue_text(document=document)
    return len(waiting)


def read_text(*, document_id: UUID, report: Report, finishing: Finishing) -> None:
    """Store the text, or why there is none. Raises Missing."""
    document = Document.objects.filter(pk=document_id).first()
    if document is None:
        raise Missing("The document has been deleted.", code="document_not_found")
    pages: list[str] = []
    problem = ""
    try:
        with document.file.open("rb") as file:
            for number, page in enumerate(_pages(file, document.file_type), 1):
                pages.append(page.replace("\x00", "").replace(PAGE_BREAK, "\n"))
                report(number, number, f"Reading page {number}")
                if number >= MOST_PAGES or sum(map(len, pages)) >= LONGEST:
                    problem = f"only the first {number} pages are looked through"
                    break
    except Unreadable as error:
        problem = str(error)
    except Exception as error:
        log.warning("text_not_read", document=str(document_id), error=repr(error))
        problem = "the file is damaged, or of a kind that can't be read"
    _store(document, pages, problem, finishing)


def _store(document: Document, pages: list[str], problem: str, finishing: Finishing) -> None:
    text = PAGE_BREAK.join(pages)[:LONGEST] if any(page.strip() for page in pages) else ""
    if not text and not problem:
        problem = "there is no text in it: a scan, or a drawing"
    told = {"pages": len(pages), "characters": len(text), "problem": problem}
    with finishing() as finish:
        kept = Document.objects.select_for_update().filter(pk=document.pk).first()
        if kept is not None:
            kept.indexed_content = text
            kept.extracted_data = {**kept.extracted_data, "text": told}
            kept.save(update_fields=["indexed_content", "extracted_data"])
            tell_document(kept.pk)
        finish({"document_id": str(document.pk), **told})


def _pages(file: IO[bytes], file_type: str) -> Iterator[str]:
    if file_type == "pdf":
        return _pdf(file)
    if file_type == "docx":
        return iter([_docx(file)])
    if file_type in ("csv", "xml", "json"):
        return iter([_plain(file.read(4 * LONGEST))])
    raise Unreadable(f"no text is read from files of this kind ({file_type or 'unknown'})")


def _pdf(file: IO[bytes]) -> Iterator[str]:
    import pdfplumber

    with pdfplumber.open(io.BytesIO(file.read())) as pdf:
        for page in pdf.pages:
            yield page.extract_text() or ""
            page.close()  # or the laid-out page stays in memory


def _docx(file: IO[bytes]) -> str:
    from lxml import etree

    with zipfile.ZipFile(file) as package:
        part = package.getinfo("word/document.xml")
        if part.file_size > MOST_BYTES:
            raise Unreadable("it would unpack to more than is looked through")
        with package.open(part) as opened:
            content = opened.read(MOST_BYTES)
    lines = []
    reader = etree.iterparse(
        io.BytesIO(content), tag=_PARAGRAPH, resolve_entities=False, no_network=True, load_dtd=False
    )
    for _, paragraph in reader:
        lines.append("".join(str(text) for text in paragraph.itertext()))
        paragraph.clear()
    return "\n".join(lines)


def _plain(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16", "cp1250"):
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    return content.decode("latin-1")
