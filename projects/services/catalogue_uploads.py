"""Uploaded price lists and indices: kept until a job has read them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.template.defaultfilters import filesizeformat

from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import FileTooLarge, Missing, Refused
from .catalogues import Finishing, Report, checked_edition, import_catalogue, import_price_index
from .thresholds import owned_organisation

if TYPE_CHECKING:
    from accounts.models import User

CATALOGUE, INDEX = "projects.import_catalogue", "projects.import_price_index"
FOLDER = "catalogues"
MAY_IMPORT_FOR_ALL = "projects.add_catalogueitem"


def may_import_for_all(user: User) -> bool:
    return user.is_staff and user.has_perm(MAY_IMPORT_FOR_ALL)


def upload_catalogue(
    *,
    file: IO[bytes],
    filename: str,
    size: int,
    catalogue: str,
    edition: str,
    actor: User,
    organisation_id: UUID | None = None,
    for_all: bool = False,
    currency: str = "",
    priced_on: date | None = None,
) -> Job:
    """Keep the file and queue its reading; `for_all`: everyone's, by staff. Raises Missing, NotOwner, Refused."""
    owner_id = _owner(actor, organisation_id, for_all=for_all)
    chosen = checked_edition(catalogue=catalogue, edition=edition, organisation_id=owner_id)
    params = {
        "catalogue": chosen.catalogue,
        "edition": chosen.edition,
        "currency": currency.upper(),
        "priced_on": priced_on.isoformat() if priced_on else None,
    }
    return _queue(CATALOGUE, params, file, filename, size, actor, owner_id, organisation_id, chosen.label)


def upload_price_index(
    *,
    file: IO[bytes],
    filename: str,
    size: int,
    series: str,
    actor: User,
    organisation_id: UUID | None = None,
    for_all: bool = False,
) -> Job:
    """As `upload_catalogue`."""
    owner_id = _owner(actor, organisation_id, for_all=for_all)
    return _queue(INDEX, {"series": series[:60]}, file, filename, size, actor, owner_id, organisation_id, series)


def _owner(actor: User, organisation_id: UUID | None, *, for_all: bool) -> UUID | None:
    if not for_all:
        return owned_organisation(user=actor, organisation_id=organisation_id).pk
    if not may_import_for_all(actor):
        raise Refused("Only staff import what is everyone's. Import it for your organisation.", code="not_staff")
    return None


def _queue(
    kind: str, params: dict[str, Any], file: IO[bytes], filename: str, size: int, actor: User, owner_id: UUID | None,
    organisation_id: UUID | None, about: str,
) -> Job:  # fmt: skip
    if not size:
        raise Refused("This file is empty.", code="empty_file")
    if size > settings.UPLOAD_LIMIT_BYTES:
        limit = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
        raise FileTooLarge(f"This file has {filesizeformat(size)}; the limit is {limit}. Split the list.")
    name = "".join(char for char in PurePath(filename.replace("\\", "/")).name if char.isprintable())[:200] or "upload"
    stored = default_storage.save(f"{FOLDER}/{uuid4()}", File(file))
    try:
        with transaction.atomic():
            return enqueue(
                kind=kind,
                params={**params, "stored": stored, "filename": name, "owner": str(owner_id) if owner_id else None},
                actor=actor,
                organisation=owner_id or organisation_id,
                about=f"{about}: {name}".strip(": "),
            )
    except BaseException:
        default_storage.delete(stored)
        raise


def read_upload(*, kind: str, params: dict[str, Any], report: Report, finishing: Finishing) -> None:
    """What the job does. The stored file goes when it has been read; `forget_upload` when reading has failed."""
    owner = UUID(params["owner"]) if params.get("owner") else None
    with _local(params["stored"]) as path:
        if kind == CATALOGUE:
            import_catalogue(
                path=path,
                filename=params["filename"],
                edition=checked_edition(
                    catalogue=params["catalogue"], edition=params["edition"], organisation_id=owner
                ),
                currency=params["currency"],
                priced_on=date.fromisoformat(params["priced_on"]) if params["priced_on"] else None,
                report=report,
                finishing=finishing,
            )
        else:
            import_price_index(
                path=path,
                filename=params["filename"],
                series=params["series"],
                organisation_id=owner,
                report=report,
                finishing=finishing,
            )
    forget_upload(params)


def forget_upload(params: dict[str, Any]) -> None:
    default_storage.delete(params["stored"])


@contextmanager
def _local(stored: str) -> Iterator[Path]:
    """A copy on this machine: storage may be a bucket."""
    if not default_storage.exists(stored):
        raise Missing("The uploaded file is gone. Upload it again.", code="upload_gone")
    with tempfile.NamedTemporaryFile(prefix="catalogue-") as copy:
        with default_storage.open(stored, "rb") as source:
            shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


def recent_imports(*, organisation_id: UUID, actor: User) -> list[Job]:
    """The organisation's and the actor's own newest imports."""
    rows = Job.objects.filter(kind__in=(CATALOGUE, INDEX)).order_by("-created_at")
    return list((rows.filter(organisation_id=organisation_id) | rows.filter(actor=actor))[:10])
