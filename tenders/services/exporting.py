"""The hits of a search as a CSV or xlsx file: asked for on the page or by REST, written by a job, its owner's alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO, Any
from uuid import UUID

from django.core.files import File
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.querysets import acting_organisation_id
from jobs.models import Job
from jobs.services import enqueue
from jobs.webhooks import link_to

from ..exceptions import BadFilter, ExportMissing, ExportRefused
from ..models import Export, Tender
from . import sheets
from .importing import Report
from .paging import BY_DEADLINE, BY_RELEVANCE, NEWEST, ORDERS
from .searchfields import as_query, filters_from
from .searching import search_tenders

EXPORT = "tenders.export"
MOST_AT_ONCE = 3  # of one person
AT_ONCE = 2000  # rows fetched from the server's cursor in one go
_ANY = UUID(int=0)
ACTIVE = (Export.Status.QUEUED, Export.Status.RUNNING)
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]

# Heading and column; times are in UTC.
COLUMNS = {
    "Title": "title", "Buyer": "buyer_name", "Country": "country", "Deadline (UTC)": "deadline_at",
    "Published (UTC)": "published_at", "Value": "value_amount", "Currency": "value_currency", "CPV": "cpv_main",
    "Status": "status", "Procedure": "procedure", "Category": "category", "Language": "language",
    "Relevance": "relevance", "Score": "relevance_score", "Summary": "summary", "Keywords": "keywords",
    "Decision": "decision", "Notice": "url", "Source": "source__name", "Number": "key", "Page": "pk",
}  # fmt: skip
_ORDERINGS: dict[str, tuple[Any, ...]] = {
    NEWEST: (F("published_at").desc(nulls_last=True), "-id"),
    BY_DEADLINE: (F("deadline_at").asc(nulls_last=True), "-id"),
    BY_RELEVANCE: (F("relevance_score").desc(), "id"),
}
WRITERS: dict[str, sheets.Writer] = {Export.Format.CSV: sheets.write_csv, Export.Format.XLSX: sheets.write_xlsx}


def start_export(
    *,
    actor: User,
    query: Mapping[str, Any],
    format: str,
    order: str = NEWEST,
    organisation_id: UUID | None = None,
) -> tuple[Export, Job]:
    """Queue a file of all hits. The same, still being made, is returned instead of a second one.

    `query`: as in an address. `organisation_id`: whose assessments and decisions; by default the one acted for.
    Raises BadFilter, ExportRefused.
    """
    if format not in WRITERS:
        raise ExportRefused("Choose the format: csv or xlsx.", code="bad_format")
    if order not in ORDERS:
        raise BadFilter("There is no such order.", extra={"errors": {"ordering": [f"One of {', '.join(ORDERS)}."]}})
    organisation_id = organisation_id or acting_organisation_id(actor)
    filters = filters_from(query)
    search_tenders(user=actor, filters=filters, organisation_id=organisation_id)  # refuses what can't be searched for
    with transaction.atomic():
        _alone(actor)
        asked = {"query": as_query(filters), "order": order, "format": format, "organisation_id": organisation_id}
        active = list(Export.objects.filter(owner=actor, status__in=ACTIVE))
        for export in active:
            job = Job.objects.active().filter(pk=export.job_id).first() if export.job_id else None
            if job is not None and all(getattr(export, name) == value for name, value in asked.items()):
                return export, job
        if len(active) >= MOST_AT_ONCE:
            raise ExportRefused(f"{MOST_AT_ONCE} of your files are being made. Wait for one of them.", code="too_many")
        export = Export(owner=actor, **asked)
        # Of no organisation: what one exports is seen by oneself alone, and so is its job.
        job = enqueue(kind=EXPORT, params={"export_id": str(export.pk)}, actor=actor, about=export.filename)
        export.job_id = job.pk
        export.save(force_insert=True)
    return export, job


def _alone(actor: User) -> None:
    """Two requests of one person go one after the other, until the transaction ends."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=actor.pk)


def own_export(*, export_id: UUID, user: User) -> Export:
    found: Export | None = Export.objects.visible_to(user).filter(pk=export_id).first()
    if found is None:
        raise ExportMissing("There is no such export. Files are kept for some days only.")
    return found


def open_file(export: Export) -> IO[bytes]:
    """Raises ExportMissing, for one that is not there yet, too."""
    try:
        if export.status != Export.Status.COMPLETED:
            raise FileNotFoundError
        opened: IO[bytes] = export.file.open("rb")
    except OSError as error:
        raise ExportMissing("This file is not there, or no longer. Have it made again.") from error
    return opened


def delete_export(*, export_id: UUID, actor: User) -> None:
    """Its file too. Refused while it is being made: cancel its job instead."""
    export = own_export(export_id=export_id, user=actor)
    if export.status in ACTIVE:
        raise ExportRefused("This file is being made. Cancel its job first.", code="being_made")
    remove(export)


def remove(export: Export) -> None:
    """The row first: a row without its file would offer what is not there."""
    name = export.file.name
    export.delete()
    if name:
        Export._meta.get_field("file").storage.delete(name)


def make_export(*, export_id: UUID, report: Report, finishing: Finishing) -> None:
    """Write the file and store it; a later attempt begins anew. What its owner may see at this moment is in it.

    Raises ExportMissing, ExportRefused, BadFilter.
    """
    export = Export.objects.select_related("owner").filter(pk=export_id).first()
    if export is None:
        raise ExportMissing("This export has been deleted.")
    if not export.owner.is_active:
        raise ExportRefused("Who asked for this is suspended.")
    Export.objects.filter(pk=export_id).update(status=Export.Status.RUNNING)
    rows = _hits(export)
    with tempfile.TemporaryFile(prefix="export-") as file:
        told = _Told(rows, report)
        WRITERS[export.format](file, list(COLUMNS), told)
        size = file.tell()
        file.seek(0)
        name = export.file.field.generate_filename(export, export.filename)
        export.file.storage.delete(name)  # of an attempt that was killed
        name = export.file.storage.save(name, File(file))
    done = {"status": Export.Status.COMPLETED, "file": name, "rows": told.done, "size": size, "error": ""}
    with finishing() as finish:
        Export.objects.filter(pk=export_id).update(finished_at=timezone.now(), **done)
        finish({"export_id": str(export_id), "rows": told.done, "size": size})


def _hits(export: Export) -> QuerySet[Tender]:
    """All of them: by relevance, only what has been assessed, as on the page."""
    rows = search_tenders(user=export.owner, filters=filters_from(export.query), organisation_id=export.organisation_id)
    if export.order == BY_RELEVANCE:
        rows = rows.filter(Q(("relevance_score__isnull", False)))
    return rows.order_by(*_ORDERINGS[export.order])


class _Told:
    """The rows as they go into the file, through a cursor of the server; says how far it is."""

    def __init__(self, rows: QuerySet[Tender], report: Report) -> None:
        self._rows, self._report = rows, report
        self.done = 0

    def __iter__(self) -> Iterator[sheets.Row]:
        total = self._rows.count()
        keywords = list(COLUMNS).index("Keywords")
        before, after = link_to("tenders:detail", _ANY).split(
            str(_ANY)
        )  # an address a row would cost as much as the row
        for row in self._rows.values_list(*COLUMNS.values()).iterator(chunk_size=AT_ONCE):
            self.done += 1
            if self.done % 200 == 0:
                self._report(self.done, max(total, self.done), f"Written {self.done:,} of {total:,} tenders")
            *values, key = row
            values[keywords] = ", ".join(str(word) for word in values[keywords] or [])
            yield [*values, f"{before}{key}{after}"]


def record_failure(*, export_id: UUID, message: str) -> None:
    """Whatever ended the job, a crash included. One that has ended keeps its own words."""
    Export.objects.filter(pk=export_id, status__in=ACTIVE).update(
        status=Export.Status.FAILED, error=(message or "It was cancelled.")[:500], finished_at=timezone.now()
    )
