"""Background jobs of projects: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import analytics, auditing, checking, documents, importing


def reading_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    """Whatever ended the reading, a crash included: the document says so."""
    importing.record_failure(
        document_id=UUID(params["document_id"]), message=error.get("message", ""), code=error.get("code", "failed")
    )


def audit_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    auditing.record_failure(project_id=UUID(params["project_id"]))


@register(
    documents.PARSE,
    isolated=True,
    timeout_s=900,
    memory_mb=1536,
    subject_type="project",
    title="Read a bill",
    on_failed=reading_failed,
)
def parse_document(run: Run, params: dict[str, Any]) -> None:
    """params: document_id, actor_id, and optionally mapping, replaces, accept_difference, dialect, preview_only."""
    replaces = params.get("replaces")
    options = importing.ImportOptions(
        mapping=params.get("mapping"),
        replaces=UUID(replaces) if replaces else None,
        accept_difference=bool(params.get("accept_difference")),
        dialect=params.get("dialect"),
        preview_only=bool(params.get("preview_only")),
    )
    importing.import_document(
        document_id=UUID(params["document_id"]),
        actor_id=UUID(params["actor_id"]) if params.get("actor_id") else None,
        options=options,
        report=run.report,
        finishing=run.finishing,
    )


@register(auditing.AUDIT, timeout_s=1800, subject_type="project", title="Audit a budget", on_failed=audit_failed)
def audit(run: Run, params: dict[str, Any]) -> None:
    """params: project_id."""
    auditing.audit_project(
        project_id=UUID(params["project_id"]), job_id=run.job_id, report=run.report, finishing=run.finishing
    )


@register("projects.check_totals", queue="low", title="Check totals")
def check_totals(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return checking.check_totals(report=run.report)


@register("projects.refresh_analytics", queue="low", title="Refresh project analytics")
def refresh_analytics(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"rows": analytics.refresh_analytics()}
