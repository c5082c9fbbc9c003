"""Stored files as answers: to be kept, never shown by the browser, for others wrote what is in them."""

from __future__ import annotations

from typing import IO

from django.http import FileResponse

from .models import Export
from .services import exporting

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
