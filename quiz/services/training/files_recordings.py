"""Recordings of calls: fetched from where a voice service says that they are, or uploaded."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from accounts.exceptions import Refused, Temporary
from jobs import outbound
from jobs.services import enqueue

from ...models import SessionFile, TrainingSession
from ...training_exceptions import FileTooLarge, NotARecording, SessionMissing
from . import files
from .access import require_writer, visible_session
from .processing_start import SUBJECT

if TYPE_CHECKING:
    from accounts.models import User

FETCH = "quiz.fetch_recording"
LONGEST_S = 600.0
LONGEST_ADDRESS = 2000
Report = Callable[[int, int, str], None]

# How the first bytes tell what it is.
_HEADS: tuple[tuple[int, bytes, str, str], ...] = (
    (8, b"WAVE", "audio/wav", ".wav"),
    (0, b"ID3", "audio/mpeg", ".mp3"),
    (0, b"OggS", "audio/ogg", ".ogg"),
    (0, b"fLaC", "audio/flac", ".flac"),
    (0, b"\x1a\x45\xdf\xa3", "audio/webm", ".webm"),
    (4, b"ftyp", "audio/mp4", ".m4a"),
    (0, b"#!AMR", "audio/amr", ".amr"),
)
_MPEG_FRAMES = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")
_ADTS_FRAMES = (b"\xff\xf1", b"\xff\xf9")
_HEAD_BYTES = 16


def address_in(artifact: Mapping[str, Any]) -> str:
    """Of a report, wherever it states it: of both sides together, before each alone."""
    recording = artifact.get("recording")
    recording = recording if isinstance(recording, dict) else {}
    mono = recording.get("mono")
    told = [
        artifact.get("recordingUrl"),
        mono.get("combinedUrl") if isinstance(mono, dict) else None,
        recording.get("stereoUrl"),
        artifact.get("stereoRecordingUrl"),
        artifact.get("recording_url"),
    ]
    found = next((each.strip() for each in told if isinstance(each, str) and each.strip()), "")
    return found if len(found) <= LONGEST_ADDRESS and "\x00" not in found else ""


def queue_fetching(session: TrainingSession) -> None:
    """In the caller's transaction. The address is looked up when it is fetched: it may hold a key of the service's."""
    enqueue(
        kind=FETCH,
        params={"session_id": str(session.pk)},
        subject=(SUBJECT, session.pk),
        about=str(session),
        dedupe_key=f"{FETCH}:{session.pk}",
    )


def fetch_recording(*, session_id: UUID, report: Report) -> dict[str, Any]:
    """From where the report says that it is, once: of an equal file nothing is kept twice.

    Raises SessionMissing, NotARecording, FileTooLarge, AddressForbidden; Temporary for what may work later.
    """
    session = TrainingSession.objects.only("id", "raw").filter(pk=session_id).first()
    if session is None:
        raise SessionMissing("There is no such call any more.")
    address = session.raw.get("recording_url") or ""
    if not address:
        return {"skipped": "The report names no recording."}
    with tempfile.TemporaryFile(prefix="recording-") as file:
        sink = _Into(file, report)
        answer = outbound.fetch(url=address, limit_bytes=64 * 1024, timeout_s=LONGEST_S, sink=sink)
        _check_status(answer.status)
        row = _keep(session_id, file, name="recording")
    return {"file_id": str(row.pk), "size": row.size}


def upload_recording(*, session_id: UUID, actor: User, file: File[Any], name: str) -> SessionFile:
    """Of one's own call, or by a coach. The same file twice is one.

    Raises SessionMissing, OnlyLooksOn, NotARecording, FileTooLarge.
    """
    session = visible_session(session_id=session_id, user=actor)
    require_writer(session=session, user=actor)
    if (file.size or 0) > settings.RECORDING_LIMIT_BYTES:
        raise _too_large()
    return _keep(session_id, file, name=name)


@dataclass(slots=True)
class _Into:
    """A Sink of jobs.outbound."""

    file: IO[bytes]
    report: Report
    size: int = 0
    total: int = field(default=0)

    def begin(self, status: int, headers: Mapping[str, str]) -> bool:
        if status != HTTPStatus.OK:
            return False
        stated = headers.get("content-length", "")
        self.total = int(stated) if stated.isdigit() else 0
        self._check(self.total)
        return True

    def write(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._check(self.size)
        self.file.write(chunk)
        self.report(self.size, self.total + 1 if self.total else 0, f"Fetched {filesizeformat(self.size)}")

    def _check(self, size: int) -> None:
        if size > settings.RECORDING_LIMIT_BYTES:
            raise _too_large()


def _check_status(status: int) -> None:
    if status == HTTPStatus.OK:
        return
    said = f"The recording's server answered {status}."
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.NOT_FOUND) or status >= 500:
        raise Temporary(said)  # 404 too: reports come before their recordings are stored
    raise Refused(said, code="recording_not_fetched")


def _keep(session_id: UUID, file: IO[Any] | File[Any], *, name: str) -> SessionFile:
    """Locks the session's row while it looks whether the file is there already."""
    content_type, suffix = type_of(file)
    digest, size = _digest(file)
    known = SessionFile.objects.filter(session_id=session_id, kind=SessionFile.Kind.RECORDING, content_hash=digest)
    if (found := known.first()) is not None:
        return found
    stem = files.safe_name(name).rpartition(".")[0] or files.safe_name(name)
    row = files.put(
        session_id=session_id,
        kind=SessionFile.Kind.RECORDING,
        name=f"{stem[:180]}{suffix}",
        content=File(file),
        content_type=content_type,
        size=size,
        digest=digest,
    )
    with files.dropped_unless_stored(row), transaction.atomic():
        if TrainingSession.objects.select_for_update(of=("self",)).only("id").filter(pk=session_id).first() is None:
            raise SessionMissing("There is no such call any more.")
        found = known.first()
        if found is None:
            row.save(force_insert=True)
            return row
    files.drop(row)
    return found


def type_of(file: IO[Any] | File[Any]) -> tuple[str, str]:
    """Media type and ending, by content. Raises NotARecording."""
    file.seek(0)
    head: bytes = file.read(_HEAD_BYTES)
    file.seek(0)
    for at, mark, media_type, suffix in _HEADS:
        if head[at : at + len(mark)] == mark:
            return media_type, suffix
    if head[:2] in _MPEG_FRAMES:
        return "audio/mpeg", ".mp3"
    if head[:2] in _ADTS_FRAMES:
        return "audio/aac", ".aac"
    raise NotARecording("This is no recording. Upload WAV, MP3, M4A, Ogg, FLAC or WebM.")


def _digest(file: IO[Any] | File[Any]) -> tuple[str, int]:
    """SHA-256 and bytes."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(1024 * 1024):
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size


def _too_large() -> FileTooLarge:
    limit = settings.RECORDING_LIMIT_BYTES
    return FileTooLarge(f"A recording has at most {filesizeformat(limit)}.", extra={"limit_bytes": limit})
