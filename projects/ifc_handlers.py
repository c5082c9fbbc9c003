"""The job that reads a building model: a thin wrapper around the service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import activity, modelling


def model_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    """Whatever ended the reading, a crash of the native reader included: the document says so."""
    modelling.record_failure(
        document_id=UUID(params["document_id"]), message=error.get("message", ""), code=error.get("code", "failed")
    )


@register(
    activity.READ_MODEL,
    isolated=True,
    timeout_s=1800,
    memory_mb=3072,
    max_retries=1,  # what crashes native code once crashes it again
    subject_type="project",
    title="Read a building model",
    on_failed=model_failed,
)
def read_model(run: Run, params: dict[str, Any]) -> None:
    """params: document_id, actor_id, and optionally replaces (a document whose positions this one supersedes)."""
    modelling.read_model(
        document_id=UUID(params["document_id"]),
        actor_id=UUID(params["actor_id"]) if params.get("actor_id") else None,
        replaces=UUID(params["replaces"]) if params.get("replaces") else None,
        report=run.report,
        finishing=run.finishing,
    )
