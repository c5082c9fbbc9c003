"""A stored file as an answer, whole or a piece of it (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import http_date, parse_http_date_safe
from rest_framework.request import Request

from accounts.exceptions import Refused

from ..models import SessionFile
from ..services.training.files import disposition_of, open_file

PIECE_BYTES = 64 * 1024
# Nothing in it runs, and nothing in it is shown within another page, whatever a browser takes it for.
POLICY = "default-src 'none'; media-src 'self'; sandbox; frame-ancestors 'none'"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class NotSatisfiable(Refused):
    status = 416
    code = "range_not_satisfiable"


def sent(file: SessionFile, request: Request) -> HttpResponseBase:
    """Raises FileMissing, NotSatisfiable."""
    etag, changed = f'"{file.pk}"', http_date(file.created_at.timestamp())
    wanted = _wanted(request, file.size, etag, file.created_at.timestamp())
    opened = open_file(file)
    response: HttpResponseBase
    if wanted is None:
        response = FileResponse(opened, content_type=file.content_type)
        response["Content-Length"] = str(file.size)
    else:
        first, last = wanted
        pieces = _pieces(opened, first, last - first + 1)
        response = StreamingHttpResponse(pieces, status=206, content_type=file.content_type)
        response["Content-Range"] = f"bytes {first}-{last}/{file.size}"
        response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Last-Modified"] = changed
    response["Content-Disposition"] = disposition_of(file)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "private, no-store"
    return response


def _wanted(request: Request, size: int, etag: str, changed_at: float) -> tuple[int, int] | None:
    """First and last byte; None: all of it, which is also the answer to what is no range, or several. Raises
    NotSatisfiable."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if (
        found is None
        or found.groups() == ("", "")
        or not _is_same(request.headers.get("If-Range", ""), etag, changed_at)
    ):
        return None
    if not found[1]:  # the last so many
        first, last = max(0, size - int(found[2])), size - 1
        is_there = int(found[2]) > 0 and size > 0
    else:
        first, last = int(found[1]), min(int(found[2]) if found[2] else size - 1, size - 1)
        if found[2] and int(found[2]) < int(found[1]):
            return None
        is_there = first < size
    if not is_there:
        raise NotSatisfiable(f"The file has {size} bytes.")
    return first, last


def _is_same(stated: str, etag: str, changed_at: float) -> bool:
    """If-Range: a piece of what the client has the beginning of, or all of it anew."""
    return not stated or stated == etag or parse_http_date_safe(stated) == int(changed_at)


def _pieces(opened: IO[bytes], first: int, count: int) -> Iterator[bytes]:
    with opened:
        opened.seek(first)
        while count > 0 and (piece := opened.read(min(PIECE_BYTES, count))):
            count -= len(piece)
            yield piece
