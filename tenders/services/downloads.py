"""A publisher's file from its address into a temporary file: asked for only if it has changed, and taken up again
where a connection broke."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import IO
from urllib.parse import unquote, urlsplit

from django.template.defaultfilters import filesizeformat

from accounts.exceptions import Temporary
from jobs import outbound
from jobs.outbound import Answer, AnswerTooLarge, Unreachable

from ..exceptions import NotFetched

LARGEST = 2 * 1024**3  # bytes, as sent
LONGEST_S = 3000.0  # of one file with all its breaks; the job may take an hour
MOST_BREAKS = 5
LONGEST_WAIT_S = 24 * 3600.0  # a publisher's Retry-After beyond that is not believed
ACCEPT = "application/json, application/xml, text/csv, application/gzip, */*;q=0.5"
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_LINK = re.compile(r'<([^>]*)>[^,]*?;\s*rel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Download:
    """`is_unchanged`: the server says that it is what we had; the file is empty then. `next`: as its Link header says,
    an address relative to `url`, or "". `filename`: as its server calls it, else the end of the address; nobody has
    checked it."""

    is_unchanged: bool
    etag: str
    last_modified: str
    url: str
    filename: str
    content_type: str
    next: str


@dataclass(slots=True)
class _Partial:
    """The file so far, and what its server said of it. A Sink of jobs.outbound."""

    file: IO[bytes]
    report: Callable[[int, int, str], None]
    limit_bytes: int
    size: int = 0
    total: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            return False
        found = _RANGE.fullmatch(headers.get("content-range", ""))
        goes_on = status == HTTPStatus.PARTIAL_CONTENT and found is not None and int(found[1]) == self.size
        if not goes_on:
            if status == HTTPStatus.PARTIAL_CONTENT:
                raise Temporary("The server sent another part of the file than was asked for.")
            self.size = 0
            self.file.seek(0)
            self.file.truncate()
            self.headers = dict(headers)
        length = headers.get("content-length", "")
        self.total = self.size + int(length) if length.isdigit() else 0
        self._check(self.total)
        return True

    def write(self, chunk: bytes) -> None:
        self._check(self.size + len(chunk))
        self.file.write(chunk)
        self.size += len(chunk)
        self.report(self.size, self.total + 1 if self.total else 0, f"Fetched {filesizeformat(self.size)}")

    def _check(self, size: int) -> None:
        if size > self.limit_bytes:
            raise AnswerTooLarge(f"The file is larger than {filesizeformat(self.limit_bytes)}.")

    def resuming(self) -> dict[str, str]:
        """Headers that ask for the rest, if it is still the same file; {} where that can't be told: all again then."""
        etag, modified = self.headers.get("etag", ""), self.headers.get("last-modified", "")
        same = modified if not etag or etag.startswith("W/") else etag
        return {"Range": f"bytes={self.size}-", "If-Range": same} if self.size and same else {}


def download(
    *,
    url: str,
    into: IO[bytes],
    report: Callable[[int, int, str], None],
    etag: str = "",
    last_modified: str = "",
    limit_bytes: int | None = None,
    accept: str = ACCEPT,
) -> Download:
    """Fetch into an empty file that can be written and sought. Raises NotFetched, AddressForbidden, AnswerTooLarge;
    Temporary (with `retry_after_s` where the server names a time) for what may work later.
    """
    partial = _Partial(into, report, limit_bytes or LARGEST)
    known = {"If-None-Match": etag} if etag else {}
    known |= {"If-Modified-Since": last_modified} if last_modified else {}
    for turn in range(MOST_BREAKS + 1):
        had = partial.size
        asking = partial.resuming() or ({} if had else known)
        try:
            answer = outbound.fetch(
                url=url,
                limit_bytes=64 * 1024,
                headers={"Accept": accept, **asking},
                timeout_s=LONGEST_S,
                sink=partial,
            )
        except Unreachable:
            if partial.size <= had or turn == MOST_BREAKS:
                raise  # nothing came: the job tries again later
            continue
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and had:
            partial.size, partial.headers = 0, {}
            continue
        return _told(answer, partial)
    raise Temporary("The connection broke again and again. It will be tried later.")


def _told(answer: Answer, partial: _Partial) -> Download:
    _check_status(answer)
    headers = partial.headers if partial.size else answer.headers
    partial.file.flush()
    partial.file.seek(0)
    link = _LINK.search(headers.get("link", ""))
    return Download(
        is_unchanged=answer.status == HTTPStatus.NOT_MODIFIED,
        etag=headers.get("etag", "")[:200],
        last_modified=headers.get("last-modified", "")[:60],
        url=answer.url,
        filename=_filename(headers) or unquote(urlsplit(answer.url).path.rpartition("/")[2])[:200] or "notices",
        content_type=headers.get("content-type", "").partition(";")[0].strip().lower()[:100],
        next=link[1] if link else "",
    )


def _filename(headers: Mapping[str, str]) -> str:
    """Of a Content-Disposition, in any of its spellings (RFC 6266); "" where there is none."""
    stated = Message()
    stated["content-disposition"] = " ".join(headers.get("content-disposition", "").split())
    try:
        return (stated.get_filename() or "")[:200]
    except (LookupError, ValueError):  # a character set that does not exist
        return ""


def _check_status(answer: Answer) -> None:
    status = answer.status
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED):
        return
    host = urlsplit(answer.url).hostname
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY) or status >= 500:
        raise Temporary(
            f"{host} answered {status}. It will be tried again.",
            retry_after_s=wait_stated(answer.headers.get("retry-after", "")),
        )
    reason = {
        401: "it asks for a sign-in, which we do not have",
        403: "it does not let us in",
        404: "there is nothing at this address",
        410: "what was at this address is gone",
    }.get(status, "this can't be read")
    raise NotFetched(f"{host} answered {status}: {reason}. Look at the address.")


def wait_stated(text: str) -> float | None:
    """Of a Retry-After, in seconds: it holds seconds, or a date. None: it says nothing."""
    text = text.strip()
    if text.isdigit():
        return min(float(text), LONGEST_WAIT_S)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), LONGEST_WAIT_S)
