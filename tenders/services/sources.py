"""Sources, and starting to read from them: a file on this machine, an upload, all files of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from ..exceptions import SourceMissing
from ..models import Import, Source
from . import importing

if TYPE_CHECKING:
    from accounts.models import Organisation, User

Report = Callable[[int, int, str], None]
FILES = ("*.json", "*.jsonl", "*.ndjson", "*.json.gz", "*.jsonl.gz", "*.gz", "*.xml", "*.csv", "*.xlsx")


def source_named(*, name: str, organisation: Organisation | None = None, kind: str = Source.Kind.UPLOAD) -> Source:
    """The source of this name, made if there is none. Two at once get the same one: the constraint decides."""
    with transaction.atomic():
        source, _ = Source.objects.get_or_create(name=name[:120], organisation=organisation, defaults={"kind": kind})
    return source


def existing_source(*, name: str, organisation: Organisation | None = None) -> Source:
    source = Source.objects.filter(name=name, organisation=organisation).first()
    if source is None:
        raise SourceMissing(f"There is no source named {name!r}.")
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
