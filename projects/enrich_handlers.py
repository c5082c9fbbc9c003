"""Background jobs of enrichment: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import activity
from .services.enriching import enriching, knowledge


def enriching_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    activity.show_activity(project_id=UUID(params["project_id"]))


@register(
    activity.ENRICH,
    timeout_s=1800,
    subject_type="project",
    title="Look up prices",
    on_failed=enriching_failed,
)
def enrich(run: Run, params: dict[str, Any]) -> None:
    """params: project_id."""
    enriching.enrich_project(
        project_id=UUID(params["project_id"]), job_id=run.job_id, report=run.report, finishing=run.finishing
    )


@register("projects.trim_knowledge", queue="low", title="Forget old answers")
def trim_knowledge(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"removed": knowledge.trim()}
