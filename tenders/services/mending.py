"""Records that could not be read, mended by a person and read again."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import orjson
from django.utils import timezone

from ..exceptions import NotANoticeFile, RejectionMissing, SourceBusy, SourceMissing, StillUnreadable
from ..models import Import, Rejection
from . import importing
from .duplicates import queue_finding
from .sources import changeable_source

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = 5 * 1024 * 1024  # characters


def read_again(*, rejection_id: int, actor: User, text: str) -> Import:
    """Read the mended text of one record (an OCDS release or record as JSON, an eForms notice as XML, a CSV with its
    line of headings) into the source. The import that this made; the rejection counts as mended.

    Raises RejectionMissing, OnlyReads; StillUnreadable with the reason, and nothing is kept of the attempt.
    """
    rejection = Rejection.objects.filter(pk=rejection_id).select_related("imported_by").first()
    if rejection is None:
        raise RejectionMissing("There is no such rejection.")
    try:
        source = changeable_source(source_id=rejection.source_id, user=actor)
    except SourceMissing:
        raise RejectionMissing("There is no such rejection.") from None
    if len(text) > LONGEST:
        raise StillUnreadable("This is too long for one record. Upload it as a file.")
    filename = f"no. {rejection.number} of {rejection.imported_by.filename}, mended"
    content = io.BytesIO(_content(text))
    record = Import.objects.create(source=source, filename=filename[:255], started_by=actor)
    try:
        importing.import_stream(source=source, stream=content, record=record)
    except (NotANoticeFile, SourceBusy) as error:
        record.delete()
        raise StillUnreadable(str(error)) from error
    if record.rejected or record.error or not record.fetched:
        reason = record.error or next(iter(record.rejections.values_list("reason", flat=True)), "Nothing was found.")
        if not record.created and not record.updated:
            record.delete()
        raise StillUnreadable(f"It still can't be read: {reason}")
    Rejection.objects.filter(pk=rejection_id, mended_at=None).update(mended_at=timezone.now())
    if record.created or record.updated:
        queue_finding(source)
    return record


def _content(text: str) -> bytes:
    """JSON on one line, as single releases are read; a package, XML or a table as it is. Raises StillUnreadable."""
    content = text.strip().encode("utf-8", "replace")
    if not content.startswith((b"{", b"[")):
        return content + b"\n"
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise StillUnreadable(f"It is no JSON: {error}.") from error
    if isinstance(found, dict) and "ocid" in found:
        return orjson.dumps(found) + b"\n"
    return content
