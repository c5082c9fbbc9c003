"""Background jobs of this app."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import trimming


@register("ai.trim", queue="low", timeout_s=1800, title="Remove old calls of models")
def trim(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return dict(trimming.trim(report=run.report))
