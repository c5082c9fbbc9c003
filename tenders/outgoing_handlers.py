"""Background jobs of what leaves tenders: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import exporting


def export_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    exporting.record_failure(export_id=UUID(params["export_id"]), message=error.get("message", ""))


@register(exporting.EXPORT, timeout_s=3600, title="Export tenders", on_failed=export_failed)
def export(run: Run, params: dict[str, Any]) -> None:
    """params: export_id."""
    exporting.make_export(export_id=UUID(params["export_id"]), report=run.report, finishing=run.finishing)
