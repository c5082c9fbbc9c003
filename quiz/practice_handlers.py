"""Background jobs of practising: thin wrappers around services."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jobs.registry import register
from jobs.run import Run

from .services import analysing, attempts, searching


@register("quiz.end_exams", title="End exams whose time is over")
def end_exams(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"ended": attempts.end_overdue()}


@register("quiz.count_popularity", queue="low", title="Count which clauses are asked for")
def count_popularity(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"clauses": searching.count_popularity()}


@register(analysing.ANALYSE, queue="low", timeout_s=1800, title="Analyse how questions do")
def analyse_items(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Idempotent: a second run writes the same figures."""
    return asdict(analysing.analyse(report=run.report))
