"""Sources, and starting to read from them: a file on this machine, an upload, all files of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import Membership, Organisation
from jobs.outbound import check_url

from ..exceptions import NoOrganisation, OnlyReads, SourceMissing, SourceRefused
from ..models import Import, Source
from . import importing
from .access import writing_organisation

if TYPE_CHECKING:
    from accounts.models import User

Report = Callable[[int, int, str], None]
EDITABLE = ("name", "kind", "location", "country", "mapping", "is_scheduled")
FILES = ("*.json", "*.jsonl", "*.ndjson", "*.json.gz", "*.jsonl.gz", "*.gz", "*.xml", "*.csv", "*.xlsx")


def source_named(*, name: str, organisation: Organisation | None = None, kind: str = Source.Kind.UPLOAD) -> Source:
    """The source of this name, made if there is none. Two at once get the same one: the constraint decides."""
    with transaction.atomic():
        source, _ = Source.objects.get_or_create(name=name[:120], organisation=organisation, defaults={"kind": kind})
    return source


def source_at(*, url: str, name: str) -> Source:
    """The shared source of this name at this address, made if there is none. Raises AddressForbidden, SourceRefused."""
    check_url(url)
    source = source_named(name=name, kind=Source.Kind.URL)
    if (source.kind, source.location) == (Source.Kind.URL, url):
        return source
    if source.location:
        raise SourceRefused(f"The source {source} is at {source.location}. Choose another name with --source.")
    return save_source(source=source, values={"kind": Source.Kind.URL, "location": url}, may_read_paths=False)


def existing_source(*, name: str, organisation: Organisation | None = None) -> Source:
    source = Source.objects.filter(name=name, organisation=organisation).first()
    if source is None:
        raise SourceMissing(f"There is no source named {name!r}.")
    return source


def visible_source(*, source_id: UUID, user: User) -> Source:
    source: Source | None = Source.objects.visible_to(user).filter(pk=source_id).first()
    if source is None:
        raise SourceMissing("There is no such source.")
    return source


def changeable_source(*, source_id: UUID, user: User) -> Source:
    """One that the user may change, as staff may all. Raises SourceMissing; OnlyReads (403) for those who see it."""
    source: Source | None = Source.objects.changeable_by(user).filter(pk=source_id).first()
    if source is None:
        visible_source(source_id=source_id, user=user)
        raise OnlyReads("You may look at this source, not change it. Shared sources are kept by the site's staff.")
    return source


def organisation_for(actor: User, organisation_id: UUID | None = None) -> Organisation:
    """The one named, or the first one of the actor. Raises NoOrganisation, OnlyReads."""
    if organisation_id is None:
        return writing_organisation(actor)
    membership = Membership.objects.of(actor).filter(organisation_id=organisation_id).select_related("organisation")
    found = membership.first()
    if found is None:
        raise NoOrganisation("This is none of your organisations.")
    if found.role == Membership.Role.VIEWER:
        raise OnlyReads("You may look at this organisation's tenders, not add any. Ask its owner for more.")
    return found.organisation


def create_source(
    *, actor: User, values: Mapping[str, Any], organisation_id: UUID | None = None, is_shared: bool = False
) -> Source:
    """`values`: of EDITABLE. Shared sources are made by staff who may add sources. Raises SourceRefused, OnlyReads."""
    if is_shared and not (actor.is_staff and actor.has_perm("tenders.add_source")):
        raise OnlyReads("Shared sources are kept by the site's staff. Make one of your organisation's own.")
    source = Source(organisation=None if is_shared else organisation_for(actor, organisation_id))
    return save_source(source=source, values=values, may_read_paths=is_shared)


def change_source(*, source_id: UUID, actor: User, values: Mapping[str, Any]) -> Source:
    """`values`: any of EDITABLE. A new address begins anew: what was kept of the old one is forgotten."""
    changeable_source(source_id=source_id, user=actor)
    with transaction.atomic():
        source = Source.objects.select_for_update().get(pk=source_id)
        is_staff = actor.is_staff and actor.has_perm("tenders.change_source")
        return save_source(source=source, values=values, may_read_paths=is_staff)


def save_source(*, source: Source, values: Mapping[str, Any], may_read_paths: bool) -> Source:
    """`source` as it is stored, or new. Raises SourceRefused, OnlyReads, AddressForbidden."""
    before = (source.kind, source.location)
    for name in EDITABLE:
        if name in values:
            setattr(source, name, values[name])
    source.location = source.location.strip()
    if source.kind == Source.Kind.PATH and (source.kind, source.location) != before and not may_read_paths:
        raise OnlyReads("Files on the server are read for the site's staff only. Upload the file instead.")
    if source.kind == Source.Kind.URL:
        check_url(source.location)
    elif source.is_scheduled:
        raise SourceRefused("Only sources with an https address can be fetched by the schedule.")
    if (source.kind, source.location) != before:
        source.etag = source.last_modified = source.cursor = ""
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError as error:
        raise SourceRefused("There is a source of this name already.", code="source_exists") from error
    return source


def import_file(
    *,
    source: Source,
    stream: IO[bytes],
    filename: str,
    actor: User | None = None,
    job_id: UUID | None = None,
    mapping: Mapping[str, str] | None = None,
    report: Report = importing.silent,
) -> Import:
    """Read an open file into the source. Raises NotANoticeFile, SourceBusy."""
    record = Import.objects.create(source=source, filename=filename[:255], started_by=actor, job_id=job_id)
    return importing.import_stream(source=source, stream=stream, record=record, mapping=mapping, report=report)


def files_of(path: Path) -> Iterator[Path]:
    """The file itself; of a folder, all files of notices in it and below, by name."""
    if path.is_dir():
        found = {file for pattern in FILES for file in path.rglob(pattern) if file.is_file()}
        yield from sorted(found)
    else:
        yield path


def sha256_of(stream: IO[bytes]) -> str:
    """Reads from the start, and leaves the stream there."""
    digest = hashlib.sha256()
    stream.seek(0)
    while block := stream.read(1024 * 1024):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
