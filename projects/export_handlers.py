"""Background jobs of exports: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import export_making, exporting


def export_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    exporting.record_failure(export_id=UUID(params["export_id"]), message=error.get("message", ""))


@register(
    exporting.EXPORT,
    isolated=True,  # it reads clients' files
    timeout_s=1800,
    memory_mb=2048,
    subject_type="project",
    title="Export a budget",
    on_failed=export_failed,
)
def export(run: Run, params: dict[str, Any]) -> None:
    """params: export_id."""
    export_making.make_export(export_id=UUID(params["export_id"]), report=run.report, finishing=run.finishing)


@register(exporting.TRIM, queue="low", timeout_s=3600, title="Remove old exports of projects")
def trim(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return dict(exporting.trim_exports())
