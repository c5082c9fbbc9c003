"""Background jobs of sources and imports: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from . import webhooks
from .models import Import, Source
from .services import duplicates, fetching, indexing, removing, uploads

CANCELLED = "cancelled"  # whoever cancels a job knows of it
MEMORY_MB = 1024  # an import takes some 150; a record of the largest size, as objects, a few times 32


def counts_of(record: Import) -> dict[str, Any]:
    return {
        "import_id": str(record.pk),
        "source_id": str(record.source_id),
        **{name: getattr(record, name) for name in fetching.COUNTS},
        "error": record.error,
    }


def import_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    import_id, message = UUID(params["import_id"]), error.get("message", "")
    uploads.record_failure(import_id=import_id, message=message)
    record = Import.objects.select_related("source").filter(pk=import_id).first()
    if record is not None and error.get("code") != CANCELLED:
        webhooks.tell_import_failed(source=record.source, message=message, import_id=import_id)


def sync_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    source_id, message = UUID(params["source_id"]), error.get("message", "")
    is_news = fetching.record_failure(source_id=source_id, message=message)
    source = Source.objects.filter(pk=source_id).first()
    if source is not None and is_news and error.get("code") != CANCELLED:
        webhooks.tell_import_failed(source=source, message=message)


@register(
    uploads.IMPORT,
    isolated=True,
    max_retries=10,  # it waits for its turn, too
    timeout_s=3600,
    memory_mb=MEMORY_MB,
    subject_type="tender_source",
    title="Read notices",
    on_failed=import_failed,
)
def import_file(run: Run, params: dict[str, Any]) -> None:
    """params: import_id, mapping (field to column heading, or null)."""
    record = uploads.read_upload(import_id=UUID(params["import_id"]), mapping=params.get("mapping"), report=run.report)
    if record.created or record.updated:
        duplicates.queue_finding(record.source)
    with run.finishing() as finish:
        webhooks.tell_imported(source=record.source, counts=counts_of(record), import_id=record.pk)
        finish(counts_of(record))


@register(
    fetching.SYNC,
    isolated=True,
    max_retries=6,
    backoff_s=(30, 1800),
    timeout_s=3600,
    memory_mb=MEMORY_MB,
    subject_type="tender_source",
    title="Fetch notices",
    on_failed=sync_failed,
)
def sync(run: Run, params: dict[str, Any]) -> None:
    """params: source_id."""
    source_id = UUID(params["source_id"])
    told = fetching.sync_source(source_id=source_id, job_id=run.job_id, report=run.report)
    source = Source.objects.get(pk=source_id)
    if told["created"] or told["updated"]:
        duplicates.queue_finding(source)
    with run.finishing() as finish:
        if not told["is_unchanged"]:
            webhooks.tell_imported(source=source, counts=told)
        finish(told)


@register(duplicates.FIND, queue="low", subject_type="tender_source", title="Find tenders published twice")
def find_duplicates(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source_id."""
    found = duplicates.find_duplicates(source_ids=[UUID(params["source_id"])], report=run.report)
    return {"compared": found.tenders, "pairs": found.pairs}


@register(removing.REMOVE, queue="low", subject_type="tender_source", title="Remove a source", max_retries=10)
def remove_source(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: source_id."""
    return {"removed": removing.remove_source(source_id=UUID(params["source_id"]), report=run.report)}


@register("tenders.sync_due", queue="low", title="Fetch all scheduled sources")
def sync_due(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Indexes, too, what an import that was broken off has left without words: nobody would find it."""
    job_ids = [str(job_id) for job_id in fetching.start_due()]
    return {"job_ids": job_ids, "indexed": indexing.index_words(report=run.report)}
