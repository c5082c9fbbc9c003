"""Background jobs of this app."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from jobs.registry import register
from jobs.run import Run

from .services import batching, trimming


@register("ai.trim", queue="low", timeout_s=1800, title="Remove old calls of models")
def trim(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return dict(trimming.trim(report=run.report))


@register("ai.cancel_batch", queue="low", max_retries=2000, title="Cancel a batch of questions")
def cancel_batch(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: key. Comes again until the provider has stopped, which may take a while, and counts what was billed."""
    return {"batch": batching.cancel(key=UUID(params["key"]))}
