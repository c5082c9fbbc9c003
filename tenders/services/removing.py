"""Removing a source with all that came from it, by a job: a source may hold hundreds of thousands of tenders."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts.exceptions import Temporary
from jobs.models import Job
from jobs.services import enqueue

from ..entities import tell_gone
from ..exceptions import SourceBusy
from ..models import Import, Source, Tender
from . import importing
from .sources import changeable_source

if TYPE_CHECKING:
    from accounts.models import User

REMOVE = "tenders.remove_source"
CHUNK = 500
BUSY_FOR_S = 20.0


def start_removal(*, source_id: UUID, actor: User) -> Job:
    """Queue it; the job that is under way already, if there is one. Raises SourceMissing, OnlyReads."""
    source = changeable_source(source_id=source_id, user=actor)
    return enqueue(
        kind=REMOVE,
        params={"source_id": str(source.pk)},
        actor=actor,
        organisation=source.organisation,
        subject=("tender_source", source.pk),
        about=source.name,
        dedupe_key=f"{REMOVE}:{source.pk}",
    )


def remove_source(*, source_id: UUID, report: importing.Report) -> int:
    """Its tenders with what was said and decided of them, chunk by chunk, then the source; how many tenders went.

    Stopped and begun again, it goes on with what is left. Projects that were opened for a bid stay. Raises Temporary
    while the source is being read.
    """
    source = Source.objects.filter(pk=source_id).first()
    if source is None:
        return 0
    total, done = Tender.objects.filter(source=source).count(), 0
    try:
        with importing.alone(source_id):
            while ids := list(
                Tender.objects.filter(source=source).order_by("key").values_list("pk", flat=True)[:CHUNK]
            ):
                with transaction.atomic():
                    Tender.objects.filter(pk__in=ids).delete()
                    tell_gone(ids)
                done += len(ids)
                report(done, total, f"Removed {done:,} of {total:,} tenders")
            _remove_files(source)
            source.delete()
    except SourceBusy as error:
        raise Temporary(str(error), retry_after_s=BUSY_FOR_S) from error
    return done


def _remove_files(source: Source) -> None:
    """Before their rows: of a file without a row nobody would know any more."""
    for record in Import.objects.filter(source=source).exclude(file="").iterator():
        record.file.delete(save=False)
