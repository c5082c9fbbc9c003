"""Stored files as answers: to be kept, never shown by the browser, for others wrote what is in them."""

from __future__ import annotations

import re
from typing import IO

from django.http import FileResponse

from .models import Export, TenderDocument
from .services import documents, exporting

ANY_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+")
CONTENT_TYPES = {
    Export.Format.CSV: "text/csv; charset=utf-8",
    Export.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def attachment(file: IO[bytes], *, filename: str, content_type: str) -> FileResponse:
    return FileResponse(
        file,
        as_attachment=True,
        filename=filename,
        content_type=content_type,
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )


def export_file(export: Export) -> FileResponse:
    """Raises ExportMissing."""
    content_type = CONTENT_TYPES[Export.Format(export.format)]
    return attachment(exporting.open_file(export), filename=export.filename, content_type=content_type)


def document_file(document: TenderDocument) -> FileResponse:
    """As its publisher called it, and said it to be. Raises DocumentMissing."""
    content_type = document.content_type if _TYPE.fullmatch(document.content_type) else ANY_TYPE
    opened = documents.open_document(document)
    return attachment(opened, filename=document.filename or "document", content_type=content_type)
