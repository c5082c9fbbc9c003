"""Files of training calls: into the storage, and out of it by links that last some minutes.

A link is given to whoever may see the call. To the local storage it leads through us, who look again whether they still
may; to a bucket it is signed by the bucket's own key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from accounts.models import User

from ...models import SessionFile
from ...training_exceptions import FileMissing, LinkExpired

if TYPE_CHECKING:
    from django.core.files.storage import Storage

SALT = "quiz.training.file"
LONGEST_NAME = 200
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


def put(
    *, session_id: UUID, kind: str, name: str, content: File[Any], content_type: str, size: int, digest: str = ""
) -> SessionFile:
    """Into the storage, before and outside of any transaction; the row is for the caller to save
    (`dropped_unless_stored`). What a person called it is in the row only, never in the storage's own name."""
    row = SessionFile(
        pk=uuid4(), session_id=session_id, kind=kind, name=safe_name(name), content_type=content_type, size=size,
        content_hash=digest,
    )  # fmt: skip
    row.file.save(f"{session_id}/{row.pk}{_suffix(row.name)}", content, save=False)
    return row


@contextmanager
def dropped_unless_stored(row: SessionFile) -> Iterator[None]:
    """Without its row a file in the storage would be nobody's."""
    try:
        yield
    except BaseException:
        drop(row)
        raise


def drop(row: SessionFile) -> None:
    """Out of the storage. A failure is logged: the row that named it is gone."""
    try:
        row.file.delete(save=False)
    except Exception as error:
        log.warning("file_not_dropped", file=str(row.pk), error=type(error).__name__)


def visible_file(*, file_id: UUID, user: User) -> SessionFile:
    """Raises FileMissing (404)."""
    found: SessionFile | None = SessionFile.objects.visible_to(user).filter(pk=file_id).first()
    if found is None:
        raise FileMissing("There is no such file.")
    return found


def link_to(file: SessionFile, *, user: User) -> Link:
    """For whoever has just been found to see it."""
    lasts_s = int(settings.FILE_LINKS_LAST_S)
    expires_at = timezone.now() + timedelta(seconds=lasts_s)
    storage, stored_as = file.file.storage, str(file.file.name)
    if is_remote(storage):
        parameters = {"ResponseContentDisposition": disposition_of(file), "ResponseContentType": file.content_type}
        return Link(storage.url(stored_as, parameters=parameters, expire=lasts_s), expires_at)  # type: ignore[call-arg]
    token = signing.dumps({"file": str(file.pk), "user": str(user.pk)}, salt=SALT, compress=True)
    address = reverse("training-file-content", args=[file.pk])
    return Link(f"{address}?token={token}", expires_at)


def linked_file(*, file_id: UUID, token: str) -> SessionFile:
    """What a link of ours opens. Raises LinkExpired (403); FileMissing (404): who got it sees the call no more."""
    try:
        told = signing.loads(token, salt=SALT, max_age=int(settings.FILE_LINKS_LAST_S))
        user_id, linked_id = UUID(told["user"]), UUID(told["file"])
    except (signing.BadSignature, KeyError, TypeError, ValueError):
        raise LinkExpired("This link has expired. Open the file from the call's page again.") from None
    user = User.objects.filter(pk=user_id).first()
    if user is None or not user.is_active or linked_id != file_id:
        raise FileMissing("There is no such file.")
    return visible_file(file_id=file_id, user=user)


def open_file(file: SessionFile) -> IO[bytes]:
    """Raises FileMissing: the storage has lost it."""
    try:
        opened: IO[bytes] = file.file.storage.open(str(file.file.name), "rb")
    except OSError as error:
        raise FileMissing("The file is no longer in the storage.", code="file_missing") from error
    return opened


def is_remote(storage: Storage) -> bool:
    """Whether browsers fetch from it themselves, by links that it signs."""
    with suppress(NotImplementedError):
        return not storage.path("probe")
    return True


def disposition_of(file: SessionFile) -> str:
    """Recordings are played in the page; all else is saved: it came from somewhere else."""
    is_saved = file.kind != SessionFile.Kind.RECORDING
    return content_disposition_header(is_saved, file.name) or "attachment"


def safe_name(name: str) -> str:
    """The last part of whatever path was sent, without control characters."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[-LONGEST_NAME:] or "file"


def _suffix(name: str) -> str:
    found = PurePath(name).suffix.lower()
    return found if _SUFFIX.fullmatch(found) else ""
