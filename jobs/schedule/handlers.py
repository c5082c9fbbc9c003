"""Background jobs of the schedule itself."""

from __future__ import annotations

from typing import Any

from ..registry import register
from ..run import Run
from ..services import trimming


@register("jobs.trim", queue="low", timeout_s=3600, title="Remove old records")
def trim(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return dict(trimming.trim(report=run.report))
