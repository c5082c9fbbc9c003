"""Background jobs of practising: thin wrappers around services."""

from __future__ import annotations

from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import attempts


@register("quiz.end_exams", title="End exams whose time is over")
def end_exams(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"ended": attempts.end_overdue()}
