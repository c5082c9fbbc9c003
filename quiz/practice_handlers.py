"""Background jobs of practising: thin wrappers around services."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from accounts.models import User
from jobs.registry import register
from jobs.run import Run

from .exceptions import EditionMissing
from .services import analysing, attempts, editions_deciding, editions_pools, searching


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


@register(editions_deciding.MOVE, title="Move citations to the new edition")
def move_citations(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Idempotent: what has moved waits no longer."""
    moved, left = editions_deciding.move_all(actor=_actor(run), report=run.report)
    return {"moved": moved, "still_flagged": left}


@register(editions_pools.SUCCEED, title="Accept successors of questions")
def accept_successors(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """params: old and new, each [bank, edition]; states. Idempotent: who has a successor is passed over."""
    old, new = (editions_pools.Pool(UUID(bank), edition) for bank, edition in (params["old"], params["new"]))
    count = editions_pools.accept_best(actor=_actor(run), old=old, new=new, states=params["states"], report=run.report)
    return {"accepted": count}


def _actor(run: Run) -> User:
    """Whoever asked for it. EditionMissing: is gone, so nobody answers for it."""
    found = User.objects.filter(pk=run.actor_id).first() if run.actor_id else None
    if found is None or not found.is_active:
        raise EditionMissing("Whoever asked for this is not here any more.")
    return found
