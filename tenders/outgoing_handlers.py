"""Background jobs of what leaves tenders: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse

from jobs.registry import register, register_subject
from jobs.run import Run

from .services import document_fetching, documents, exporting, trimming


def export_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    exporting.record_failure(export_id=UUID(params["export_id"]), message=error.get("message", ""))


@register(exporting.EXPORT, timeout_s=3600, title="Export tenders", on_failed=export_failed)
def export(run: Run, params: dict[str, Any]) -> None:
    """params: export_id."""
    exporting.make_export(export_id=UUID(params["export_id"]), report=run.report, finishing=run.finishing)


def fetching_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    document_fetching.record_failure(
        tender_id=UUID(params["tender_id"]),
        organisation_id=UUID(params["organisation_id"]),
        message=error.get("message", ""),
    )


@register(
    documents.FETCH,
    concurrency=4,  # it waits for publishers' servers
    max_retries=8,
    backoff_s=(10, 1800),
    timeout_s=3600,
    title="Fetch a tender's documents",
    on_failed=fetching_failed,
)
def fetch_documents(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: tender_id, organisation_id, actor_id, project_id (null: into none)."""
    return dict(
        document_fetching.fetch_documents(
            tender_id=UUID(params["tender_id"]),
            organisation_id=UUID(params["organisation_id"]),
            actor_id=UUID(params["actor_id"]) if params.get("actor_id") else None,
            project_id=UUID(params["project_id"]) if params.get("project_id") else None,
            report=run.report,
        )
    )


register_subject("tender", url=lambda tender_id: reverse("tenders:detail", args=[tender_id]))


@register("tenders.trim", queue="low", timeout_s=3600, title="Remove old files of tenders")
def trim(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return dict(trimming.trim(report=run.report))
